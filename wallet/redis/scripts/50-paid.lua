-- What a wallet has paid for: grants by the resource's key of 12 bytes, with flags,
-- end and the charge's position, and passes by the rule's key of 8, with visits and
-- end.
local IS_AHEAD, IS_GRANT_SETTLED, IS_CLOSED, IS_CAPTURED = 1, 2, 4, 8

local function has(flags, flag)
	return flags % (2 * flag) >= flag
end

-- grant returns a grant's flags, end and position, closed or not, that has not
-- ended.
local function grant(w, resource)
	local at = item(w.grants, resource, GRANT)
	local flags, ends, position
	if at then
		flags, ends, position = unpack('<BI6I7', w.grants, at + 12)
	else
		local text = w.grants_until > now and read(GRANTS, w.id .. resource)
		if not text then return end
		flags, ends, position = unpack('<BI6I7', text)
	end
	if not over(ends) then
		return flags, ends, position
	end
end

-- readable returns the end of what may be read of a resource, or zero.
local function readable(w, resource)
	local flags, ends = grant(w, resource)
	if flags and not has(flags, IS_CLOSED) then
		return ends
	end
	return 0
end

-- make_room forgets grants that have ended, and moves the older half out where
-- there are still too many.
local function make_room(w)
	local live = {}
	for at = 1, #w.grants, GRANT do
		local ends = unpack('<I6', w.grants, at + 13)
		if not over(ends) then
			live[#live + 1] = sub(w.grants, at, at + GRANT - 1)
		end
	end
	local from = 1
	if #live >= MOST_GRANTS then
		from = floor(#live / 2) + 1
		for i = 1, from - 1 do
			write(GRANTS, w.id .. sub(live[i], 1, 12), sub(live[i], 13))
			w.grants_until = max(w.grants_until, (unpack('<I6', live[i], 14)))
		end
	end
	w.grants = table.concat(live, '', from)
end

local function set_grant(w, resource, flags, ends, position)
	local text = pack('<BI6I7', flags, ends, position)
	local at = item(w.grants, resource, GRANT)
	if at then
		w.grants = replace(w.grants, at + 12, 14, text)
		return
	end
	if #w.grants >= MOST_GRANTS * GRANT then
		make_room(w)
	end
	w.grants = w.grants .. resource .. text
end

-- pass returns the visits and the end of a wallet's pass for a rule, ended or not,
-- and where it is.
local function pass(w, rule)
	local at = item(w.passes, rule, PASS)
	if not at then
		return 0, 0
	end
	local visits, ends = unpack('<I3I6', w.passes, at + 8)
	return visits, ends, at
end

-- visits returns what is left in a pass, and its end.
local function visits(w, rule)
	local left, ends = pass(w, rule)
	if left == 0 or over(ends) then
		return 0, 0
	end
	return left, ends
end

local function set_pass(w, rule, left, ends)
	local _, _, at = pass(w, rule)
	local text = rule .. pack('<I3I6', left, ends)
	if at then
		w.passes = replace(w.passes, at, PASS, text)
	else
		w.passes = w.passes .. text
	end
end
