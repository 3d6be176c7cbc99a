"""A ready file transfer for logs, diagnostics and firmware (1.6 §5.9, §5.19; SEC N01, L01).

The stack leaves transfers to the application, since their ways differ from site to site. This is one that serves most::

    from openocpp.transfer import FileTransfer

    class Handler(DefaultChargePointEventsHandler):
        def __init__(self) -> None:
            self.transfer = FileTransfer(ca_file="/etc/station/ca.pem")

        def upload_file(self, path, url):
            return self.transfer.upload(path, url)

        def download_file(self, url, path):
            return self.transfer.download(url, path)

It stands on ``http.client``, ``ftplib`` and ``ssl`` of Python. The packages that are nicer to write with (requests,
httpx, urllib3) know HTTP only; pycurl knows all four schemes, but needs libcurl with its headers on the station, and a
transfer in it is cancelled from its own callbacks only. What these modules lack for a station at the end of a bad link
is here: deadlines that hold against a server that drips, cancellation from another thread, resumption that never mixes
two versions of a file, session reuse on the data connections of FTPS.

Not here: SFTP, proxies, Digest authorization, client certificates, active FTP.

Threads: any.
"""

from openocpp.transfer.client import FileTransfer
from openocpp.transfer.errors import TransferError, TransferFailure

__all__ = ["FileTransfer", "TransferError", "TransferFailure"]
