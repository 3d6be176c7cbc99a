"""Connections: text messages in, text messages out, over sockets or through memory (J §3, §5).

``base`` is the seam that the layers above see; ``sockets.network`` gives the network of a runtime. Nothing is imported
here, so that the packages for websockets and TLS are loaded only when a connection is made.
"""
