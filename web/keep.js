// What outlives a reload: JSON under names of our own. A browser that refuses storage still gets a
// page that works until it is closed.

export function keepOf(storage) {
	const fallback = new Map();
	return {
		get(name) {
			try {
				return JSON.parse(storage.getItem(`boxoffice.${name}`)) ?? fallback.get(name) ?? null;
			} catch {
				return fallback.get(name) ?? null;
			}
		},
		put(name, value) {
			fallback.set(name, value);
			try {
				storage.setItem(`boxoffice.${name}`, JSON.stringify(value));
			} catch {
				// Full or forbidden: the copy in memory has to do.
			}
		},
		drop(name) {
			fallback.delete(name);
			try {
				storage.removeItem(`boxoffice.${name}`);
			} catch {
				// As above.
			}
		},
	};
}
