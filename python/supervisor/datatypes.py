"""From the text of an option to its value, for extensions whose sections have options."""

import signal


def boolean(value):
    """As in the configuration file: true, yes, on, 1 and false, no, off, 0, in any case of letters."""
    word = str(value).lower()
    if word in ("yes", "true", "on", "1"):
        return True
    if word in ("no", "false", "off", "0"):
        return False
    raise ValueError("not a valid boolean value: %r" % value)


def integer(value):
    return int(value)


def list_of_strings(value):
    """The items of a list with commas between them."""
    return [item.strip() for item in value.split(",")] if value else []


def signal_number(value):
    """A signal by its number or by its name, with or without SIG."""
    text = str(value).strip().upper()
    try:
        return int(signal.Signals(int(text)) if text.isdigit()
                   else signal.Signals["SIG" + text[3 * text.startswith("SIG"):]])
    except (KeyError, ValueError):
        raise ValueError("value %r is not a valid signal name" % value) from None
