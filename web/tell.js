// How a fan is told what happened: a notice to see, or words for a screen reader alone.

export function tellOf({ update, words }) {
	const say = (said) => update({ said });

	function notice(told) {
		update({ notice: { closeLabel: words().close, ...told } });
	}

	// Says what happened and what to do. `heading` names the words above it.
	function fail(refusal, heading = "heading") {
		const failed = words().failed;
		notice({
			kind: "error",
			title: failed[heading] ?? failed.heading,
			words: failed[refusal.code] ?? failed.unavailable,
			actions: [],
		});
	}

	return { say, notice, fail };
}
