-- Which ids took effect. An id is 14 bytes: its time, and its random bits but for
-- those beside the version. It is remembered with its wallet and the position of its
-- record, those of charges and those of money apart: they are forgotten at different
-- times. The records of money are kept in a hash for each day besides, because the
-- journal may be gone before they are forgotten.
local OF_CHARGE, OF_MONEY = 1, 2
local IS_SETTLED = 1

-- hour_key returns the hash for the ids of charges of a time.
local function hour_key(made)
	local n = floor(made / HOUR) - tonumber(ARGV[2])
	if n >= 0 and n < HOUR_KEYS then
		return FIRST_HOUR_KEY + n
	end
end

-- write_of_day writes to the hash for the day of a question's id, which is forgotten a
-- day after the last id in it.
local DAY = 86400000
local lasts = {}

local function write_of_day(q, field, value)
	write(q.day, field, value)
	lasts[q.day] = (floor(q.made / DAY) + 2) * DAY + WEEK
end

-- charge_id returns what is remembered of the id of a charge: its flags, its
-- position, and where.
local function charge_id(w, key, made)
	if now - made > HOUR then return end
	local at = item(w.charges, key, ID)
	if at then
		local flags, position = unpack('<BI7', w.charges, at + 14)
		return flags, position, at
	end
	local hour = w.ids_until > now and hour_key(made)
	local text = hour and read(hour, w.id .. key)
	if text then
		return unpack('<BI7', text)
	end
end

-- known returns of what an id is and the position of its record, or nothing.
local function known(w, q)
	local _, position = charge_id(w, q.key, q.made)
	if position then
		return OF_CHARGE, position
	end
	local at = item(w.money, q.key, ID)
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
	end
	if q.made - now > SKEW then
		return STALE
	end
end

-- overflow moves the older half of a wallet's ids of charges out.
local function overflow(w)
	local half = floor(#w.charges / ID / 2) * ID
	for at = 1, half, ID do
		if not hour_key((unpack('>I6', w.charges, at))) then return end
	end
	for at = 1, half, ID do
		local made = unpack('>I6', w.charges, at)
		local hour = hour_key(made)
		write(hour, w.id .. sub(w.charges, at, at + 13), sub(w.charges, at + 14, at + 21))
		lasts[hour] = made + 3 * HOUR
		w.ids_until = max(w.ids_until, made + HOUR + 1)
	end
	w.charges = sub(w.charges, half + 1)
end

-- remember keeps the id of a charge, and forgets those before it that are old.
local function remember(w, q, position)
	local at = 1
	while at <= #w.charges and now - unpack('>I6', w.charges, at) > HOUR do
		at = at + ID
	end
	if at > 1 then
		w.charges = sub(w.charges, at)
	end
	if #w.charges >= MOST_IDS * ID then
		overflow(w)
	end
	w.charges = w.charges .. q.key .. pack('<BI7', 0, position)
end

-- remember_money keeps the id of a movement of money, and its record.
local function remember_money(w, q, position)
	local at = 1
	while at <= #w.money and now - unpack('>I6', w.money, at) > WEEK do
		at = at + ID
	end
	if #w.money - at + 1 >= MOST_IDS * ID then
		w.money_until = now + WEEK + SKEW + 1
		at = at + floor(MOST_IDS / 2) * ID
	end
	w.money = sub(w.money, at) .. q.key .. pack('<BI7', 0, position)
	write_of_day(q, w.id .. q.key, pack('<I7I6', position, now) .. records[position % PLACES + 1])
end

-- settled notes that the charge of an id has been settled.
local function settled(w, key, made)
	local _, position, at = charge_id(w, key, made)
	if not position then return end
	local with = pack('<BI7', IS_SETTLED, position)
	if at then
		w.charges = replace(w.charges, at + 14, 8, with)
	else
		write(hour_key(made), w.id .. key, with)
	end
end
