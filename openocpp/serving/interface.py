"""What the public faces of the listening roles have in common.

Threads: every operation may be called from any thread but the scheduler, callbacks included.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

    from openocpp.runtime import Runtime


class IServingRole(ABC):
    """A role that charge points connect to. ``with`` stops it at the end, and closes its database."""

    def __enter__(self) -> Self:
        return self

    @abstractmethod
    def __exit__(self, *_: object) -> None:
        """Stop, and close the database."""

    @property
    @abstractmethod
    def runtime(self) -> Runtime:
        """The threads in use; an application may run its own jobs there. Its own one is another after each ``stop``."""

    @property
    @abstractmethod
    def port(self) -> int:
        """The port in use, also when ListenUrl leaves the choice to the system (port 0). StateError when stopped."""

    @abstractmethod
    def start(self) -> bool:
        """Listen. False, with the reason in the log and nothing left running: started already; an unusable setting,
        a missing schema, an address that is in use, or certificates that cannot be loaded."""

    @abstractmethod
    def stop(self) -> bool:
        """Close all connections (1001) and end all threads within 3 s. A local controller closes those to both sides.

        False: not started. Legal from a callback.
        """

    @abstractmethod
    def reset_data(self) -> bool:
        """Forget everything: a fresh database. True also without one. False: not stopped, or it cannot be made."""

    @abstractmethod
    def reload_tls(self) -> bool:
        """Read the certificate files anew, for new connections. False: not usable, the old ones stay."""
