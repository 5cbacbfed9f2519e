-- What every run of wrk ends with: one JSON object on a line of its own.

function done(summary, latency)
	local errors = summary.errors
	io.write(string.format(
		'{"answers":%d,"refused":%d,"broken":%d,"seconds":%.6f,"p50Ms":%.3f,"p99Ms":%.3f}\n',
		summary.requests, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
		summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
