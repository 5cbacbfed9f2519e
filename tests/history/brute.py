"""The same question as search.py's, answered by trying every order: for histories of a few operations."""


def has_order(model, ops):
    return _extend(model, model.initial, list(ops))


def _extend(model, state, left):
    if all(op.is_open for op in left):
        return True
    first_end = min(op.end for op in left if not op.is_open)
    for i, op in enumerate(left):
        # Whoever ended before it was called has its place before it.
        if op.call <= first_end:
            rest = left[:i] + left[i + 1:]
            if any(_extend(model, found, rest) for found in model.step(state, op)):
                return True
    # An operation that need not have happened, and did not.
    return any(_extend(model, state, left[:i] + left[i + 1:]) for i, op in enumerate(left) if op.is_open)
