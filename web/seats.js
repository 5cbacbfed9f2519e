// The seats of one date: read once, then kept by the differences that the stream tells. A stream
// that is not alive is made up for by reading again.

import { streamOf } from "./stream.js";

const READ_AGAIN_MS = 2000;
const OVER = 0; // the version of a map whose booking has ended: there will be no other
const ROW_LENGTHS = [8, 9, 10, 11, 12];

// Rows that widen away from the stage, as seat numbers run: five for fifty seats, and as many of the
// last length as it takes for more.
export function rowsOf(seats) {
	const rows = [];
	for (let at = 0; at < seats.length; at += rows.at(-1).length) {
		const length = ROW_LENGTHS[Math.min(rows.length, ROW_LENGTHS.length - 1)];
		rows.push(seats.slice(at, at + length));
	}
	return rows;
}

// Where an arrow key leads in rows of unequal length: up and down go to the seat that stands nearest.
export function stepFrom(rows, index, key) {
	let row = 0;
	let before = 0;
	while (row < rows.length && index >= before + rows[row].length) before += rows[row++].length;
	if (row === rows.length) return 0;
	const column = index - before;
	const startOf = (wanted) => rows.slice(0, wanted).reduce((sum, { length }) => sum + length, 0);
	const across = (wanted) => {
		if (wanted < 0 || wanted >= rows.length) return index;
		const shifted = column + (rows[wanted].length - rows[row].length) / 2;
		return startOf(wanted) + Math.min(Math.max(Math.round(shifted), 0), rows[wanted].length - 1);
	};
	switch (key) {
	case "ArrowLeft": return before + Math.max(column - 1, 0);
	case "ArrowRight": return before + Math.min(column + 1, rows[row].length - 1);
	case "ArrowUp": return across(row - 1);
	case "ArrowDown": return across(row + 1);
	case "Home": return before;
	case "End": return before + rows[row].length - 1;
	default: return null;
	}
}

// What a message of the stream does to a map: null when there is a gap and the map must be read again.
// `mine` stays with a seat until it is free.
export function applied(map, message) {
	if (!Array.isArray(message?.changes) || typeof message.version !== "number") return map;
	if (message.version === OVER && map.version !== OVER) return { version: OVER, seats: [] };
	if (message.version <= map.version) return map;
	if (message.from !== map.version) return null;
	const states = new Map(message.changes);
	const seats = map.seats.map((seat) => {
		const state = states.get(seat.id);
		return state === undefined ? seat : { ...seat, state, mine: seat.mine && state !== "free" };
	});
	return { version: message.version, seats };
}

export function seatsOf({ api, fetch, clock, tab, scheduleId, headers, onMap, onRefusal }) {
	let map = null;
	let stream = null;
	let timer = null;
	let isLive = false;
	let reading = false;
	let again = false;
	let closed = false;

	async function read() {
		clock.cancel(timer);
		// A gap told while a reading is out is not in what comes back.
		if (reading) again = true;
		if (reading || closed || tab.isHidden()) return;
		reading = true;
		again = false;
		let wait_ms = READ_AGAIN_MS;
		try {
			const told = await api.read(`/concert/seats?concertScheduleId=${scheduleId}`, headers());
			if (!closed && (map === null || told.version === OVER || told.version >= map.version)) show(told);
		} catch (refusal) {
			if (!closed) onRefusal(refusal);
			wait_ms = refusal.retryAfter_ms ?? READ_AGAIN_MS;
		}
		reading = false;
		if (closed) return;
		if (again) wait_ms = Math.min(wait_ms, 200);
		if (!isLive || again) timer = clock.after(wait_ms, read);
	}

	function show(newMap) {
		if (closed) return;
		map = newMap;
		onMap({ ...map, isLive });
		if (map.version === OVER) close();
	}

	function close() {
		closed = true;
		unhook();
		clock.cancel(timer);
		stream?.close();
	}

	function open() {
		stream = streamOf({
			fetch,
			clock,
			path: `/concert/seat-events?concertScheduleId=${scheduleId}`,
			headers,
			onMessage(message) {
				if (map === null) return;
				const next = applied(map, message);
				if (next === null) read();
				else if (next !== map) show(next);
			},
			onState(isAlive) {
				if (isAlive === isLive) return;
				isLive = isAlive;
				if (map) show(map);
				if (!isLive) read();
			},
		});
	}

	function onTab() {
		if (closed) return;
		if (tab.isHidden()) {
			stream?.close();
			stream = null;
			isLive = false;
			clock.cancel(timer);
		} else if (!stream) {
			open();
			read();
		}
	}

	const unhook = tab.onChange(onTab);
	onTab();
	return { read, close };
}
