-- wrk: GET with one queue token after the other. Argument: a file of tokens, one a line.

function init(args)
	requests = {}
	for line in io.lines(args[1]) do
		requests[#requests + 1] = wrk.format("GET", nil, { ["queue-token"] = line })
	end
	next_one = 0
end

function request()
	next_one = next_one % #requests + 1
	return requests[next_one]
end

dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "summary.lua")
