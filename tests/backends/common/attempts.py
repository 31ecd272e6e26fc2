"""Keeps what came of each attempt of a deed, as text that fits into JSON."""

import errno


class Attempts(dict):
    """Calls acts; an attempt that fails is noted and does not end the deed."""

    def __call__(self, name, act, *arguments):
        try:
            result = act(*arguments)
        except OSError as error:
            result = errno.errorcode.get(error.errno, str(error))
        except Exception as error:
            result = repr(error)
        if isinstance(result, bytes):
            result = result.decode("latin-1")
        self[name] = result if isinstance(result, (str, int, list, dict, type(None))) else repr(result)
        return self[name]
