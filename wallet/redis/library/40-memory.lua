-- Which ids took effect. An id is 14 bytes: its time, and its random bits but for
-- those beside the version. It is remembered with its wallet and the position of its
-- record, those of charges and those of money apart: they are forgotten at different
-- times. The records of money are kept in a hash for each day besides, because the
-- journal may be gone before they are forgotten.
local OF_CHARGE, OF_MONEY = 1, 2
local IS_SETTLED = 1 -- of an item: its charge has been settled
local NO_RESOURCE = string.rep('\0', 12)

-- hour_key returns the hash for the ids of charges of a time.
local first_hour
local function hour_key(made)
	local n = floor(made / HOUR) - first_hour
	if n >= 0 and n < HOUR_KEYS then
		return FIRST_HOUR_KEY + n
	end
end

-- write_of_day writes to the hash for the day of a question's id, which is forgotten a
-- day after the last id in it.
local DAY = 86400000
local lasts

local function write_of_day(q, field, value)
	write(q.day, field, value)
	lasts[q.day] = (floor(q.made / DAY) + 2) * DAY + WEEK
end

-- charge_id returns what is remembered of the id of a charge: its flags, its position,
-- and where among the items.
local function charge_id(w, key, made)
	if now - made > HOUR then return end
	local at = place(w.items, key, ITEM, 0, 1)
	if at then
		return byte(w.items, at + 14), (unpack('<I7', w.items, at + 33)), at
	end
	local hour = w.ids_until > now and hour_key(made)
	local text = hour and read(hour, w.id .. key)
	if text then
		local flags, position = unpack('<BI7', text)
		return flags, position
	end
end

-- known returns of what an id is and the position of its record, or nothing.
local function known(w, q)
	local _, position = charge_id(w, q.key, q.made)
	if position then
		return OF_CHARGE, position
	end
	local at = place(w.money, q.key, ID, 0, 1)
	if at then
		return OF_MONEY, (unpack('<I7', w.money, at + 15))
	end
	local text = w.money_until > now and read(q.day, w.id .. q.key)
	if text then
		return OF_MONEY, (unpack('<I7', text))
	end
end

-- judge answers a question by its id alone, where that is possible.
local function judge(w, q, memory)
	if now - q.made > memory then
		return STALE
	end
	if w then
		local class, position = known(w, q)
		if class then
			return KNOWN, position, class
		end
		if memory == HOUR and w.ids_until > now and not hour_key(q.made) then
			return STALE -- nobody can tell: the keys are those of a clock that is hours wrong
		end
	end
	if q.made - now > SKEW then
		return STALE
	end
end

-- move_out moves an item of a wallet to the hashes of the shard.
local function move_out(w, text)
	local key, flags, resource, ends, position = unpack('<c14Bc12I6I7', text)
	local made = unpack('>I6', key)
	if now - made <= HOUR then
		local hour = hour_key(made)
		write(hour, w.id .. key, pack('<BI7', flags, position))
		lasts[hour] = made + 3 * HOUR
		w.ids_until = max(w.ids_until, made + HOUR + 1)
	end
	if resource ~= NO_RESOURCE and not over(ends) then
		write(GRANTS, w.id .. resource, pack('<BI6I7', flags, ends, position))
		w.grants_until = max(w.grants_until, ends)
	end
end

-- live_items returns the items of a wallet of which something is left to remember: the
-- id, or the grant.
local function live_items(w)
	local live = {}
	for at = 1, #w.items, ITEM do
		local made = unpack('>I6', w.items, at)
		local ends = unpack('<I6', w.items, at + 27)
		if now - made <= HOUR or ends ~= 0 and not over(ends) then
			live[#live + 1] = sub(w.items, at, at + ITEM - 1)
		end
	end
	return live
end

-- make_room forgets the items of which nothing is left to remember, and moves the older
-- half out where there are still too many; none where an id is of an hour that the
-- caller's clock has no key for.
local function make_room(w)
	local live, from = live_items(w), 1
	for i = 1, #live do
		local made = unpack('>I6', live[i])
		if now - made <= HOUR and not hour_key(made) then return end
	end
	if #live >= MOST_ITEMS then
		from = floor(#live / 2) + 1
		for i = 1, from - 1 do
			move_out(w, live[i])
		end
	end
	w.items = table.concat(live, '', from)
end

-- remember keeps the id of a charge, and what it paid for.
local function remember(w, key, position, flags, resource, ends)
	if #w.items >= MOST_ITEMS * ITEM then
		make_room(w)
	end
	w.items = w.items .. pack('<c14Bc12I6I7', key, flags or 0, resource or NO_RESOURCE, ends or 0, position)
end

-- live_money returns where the ids of money begin of which something is left to remember.
local function live_money(w)
	local at = 1
	while at <= #w.money and now - unpack('>I6', w.money, at) > WEEK do
		at = at + ID
	end
	return at
end

-- remember_money keeps the id of a movement of money, and its record.
local function remember_money(w, q, position)
	local at = live_money(w)
	if #w.money - at + 1 >= MOST_IDS * ID then
		w.money_until = now + WEEK + SKEW + 1
		at = at + floor(MOST_IDS / 2) * ID
	end
	w.money = sub(w.money, at) .. q.key .. pack('<BI7', 0, position)
	write_of_day(q, w.id .. q.key, pack('<I7I6', position, now) .. record_again(position))
end
