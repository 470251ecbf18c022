"""Methods of arrays."""

import functools

from .operators import js_same
from .values import js_number, js_text


def js_index_of(values, wanted, start=0):
    """Return the place of an element, or of a part of a text, or -1."""
    if isinstance(values, str):
        return values.find(js_text(wanted), max(0, start))
    first = max(0, start + len(values) if start < 0 else start)
    for index in range(first, len(values)):
        if js_same(values[index], wanted):
            return index
    return -1


def js_includes(values, wanted):
    """True if an element, or a part of a text, is there."""
    if isinstance(values, str):
        return js_text(wanted) in values
    is_nan = wanted != wanted
    return any(
        js_same(each, wanted) or (is_nan and each != each) for each in values
    )


def js_join(values, separator=","):
    """Return the elements as one text."""
    texts = ("" if each is None else js_text(each) for each in values)
    return separator.join(texts)


def js_slice(values, start=None, end=None):
    """Return a part of a list or a text."""
    first, last = (
        None if each is None else int(max(-2 ** 53, min(2 ** 53, each)))
        if each == each else 0 for each in (
            None if each is None else js_number(each) for each in (start, end)
        )
    )
    return values[first:last]


def js_splice(values, start, count=None, *added):
    """Replace a part of a list, and return what was there."""
    size = len(values)
    start = max(0, size + start) if start < 0 else min(start, size)
    end = size if count is None else min(size, start + max(0, count))
    removed = values[start:end]
    values[start:end] = added
    return removed


def js_sort(values, compare=None):
    """Sort a list in place as JavaScript does: by text, or by a function."""
    missing = [each for each in values if each is None]
    values[:] = [each for each in values if each is not None]
    if compare is None:
        values.sort(key=js_text)
    else:
        values.sort(key=functools.cmp_to_key(
            lambda one, other: js_number(compare(one, other))
        ))
    values.extend(missing)
    return values


def js_reduce(function, values, *start):
    """Return what a function makes of all elements, from the left."""
    left = list(values)
    if not start and not left:
        raise TypeError("Reduce of empty array with no initial value")
    result = start[0] if start else left.pop(0)
    for each in left:
        result = function(result, each)
    return result


def js_push(values, *added):
    """Append elements, and return the new length."""
    values.extend(added)
    return len(values)


def js_flat(values, depth=1):
    """Return a list with the elements of the lists in it."""
    found = []
    for each in values:
        if isinstance(each, list) and depth > 0:
            found.extend(js_flat(each, depth - 1))
        else:
            found.append(each)
    return found


def js_put(table, key, value=None):
    """Set an entry of a map, or add to a set, and return it."""
    table[key] = value
    return table


def js_fields(value):
    """Return the properties of a value as a dict."""
    if isinstance(value, dict):
        return value
    if isinstance(value, (list, str)):
        return {str(index): each for index, each in enumerate(value)}
    if hasattr(value, "fields"):
        return dict(value.fields)
    return dict(getattr(value, "__dict__", ()))


def js_assign(target, values, names=()):
    """Set several properties, and return their object."""
    for name, value in values.items():
        if isinstance(target, dict):
            target[name] = value
        else:
            setattr(target, dict(names).get(name, name), value)
    return target


def js_delete(table, key):
    """Remove a key, and return True whether it was there or not."""
    table.pop(key, None)
    return True


def js_discard(table, key):
    """Remove a key, and return True if it was there."""
    if key not in table:
        return False
    del table[key]
    return True


def js_resize(values, size):
    """Set the length of a list."""
    del values[size:]
    values.extend([None] * (size - len(values)))
    return size
