"""A line to somebody who does not watch, when a search ends: by mail, chat, or a web hook."""

import apprise

from xit_ray.spec.errors import UserError


def check(address: str) -> None:
    """See that messages can be sent to such an address.

    Raises:
        UserError: nobody knows how.
    """
    if not apprise.Apprise().add(address):
        scheme = address.partition(":")[0]
        raise UserError(
            f"--notify: found an address {scheme}://…, which is none of apprise's (allowed for example: mailto://, slack://, "
            "ntfy://, json://HOST/PATH)"
        )


def notify(address: str, title: str, text: str) -> bool:
    """Send a message; whether it was taken."""
    messenger = apprise.Apprise()
    messenger.add(address)
    return bool(messenger.notify(title=title, body=text))
