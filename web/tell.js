// How a fan is told what happened: a notice to see, or words for a screen reader alone.

export function tellOf({ update }) {
	const say = (said) => update({ said });

	// `told` makes the notice of the words, so that it can be read in the other language, too:
	// { kind, title, words, actions: [{ id, label, then }] }.
	const notice = (told) => update({ notice: told });

	// Says what happened and what to do. `heading` names the words above it.
	function fail({ code, status }, heading = "heading") {
		notice(({ failed }) => ({
			kind: "error",
			title: failed[heading],
			words: failed[code] ?? (status >= 400 && status < 500 ? failed.refused : failed.unavailable),
			actions: [],
		}));
	}

	return { say, notice, fail };
}
