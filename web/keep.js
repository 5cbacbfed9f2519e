// What outlives a reload, and what tabs share: JSON under names of our own. What the browser does not
// take (storage full or forbidden, in which case `storage` may be null) lasts until the page is closed.

export function keepOf(storage) {
	const untaken = new Map();

	function remove(name) {
		try {
			storage.removeItem(`boxoffice.${name}`);
		} catch {
			// Nothing of it is there.
		}
	}

	return {
		// What another tab has dropped or changed since counts: there is no copy of what storage took.
		get(name) {
			if (untaken.has(name)) return untaken.get(name);
			try {
				return JSON.parse(storage.getItem(`boxoffice.${name}`));
			} catch {
				return null;
			}
		},
		put(name, value) {
			untaken.delete(name);
			try {
				storage.setItem(`boxoffice.${name}`, JSON.stringify(value));
			} catch {
				untaken.set(name, value);
				// What is still there is older: no reload may find it.
				remove(name);
			}
		},
		drop(name) {
			untaken.delete(name);
			remove(name);
		},
	};
}
