-- wrk: GET with a queue token. Argument: the token.

function init(args)
	wrk.headers["queue-token"] = args[1]
end

dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "summary.lua")
