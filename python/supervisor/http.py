"""What deferred answers of extensions are made of."""


class NOT_DONE_YET:
    """What a deferred answer returns as long as there is none."""
