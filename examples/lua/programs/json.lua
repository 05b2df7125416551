-- SPDX-License-Identifier: Apache-2.0
-- A JSON reader and writer, and a document that goes through both: what comes out must read as what went in.
local json = { null = setmetatable({}, { __tostring = function() return "null" end }) }

local escapes = { ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }
local literals = { ["true"] = true, ["false"] = false, ["null"] = json.null }

local function fail(position, expected)
  error(("JSON: expected %s at byte %d"):format(expected, position), 0)
end

local read_value -- (text, position) → value, position behind it

local function skip_space(text, position) return text:match("^[ \t\r\n]*()", position) end

local function read_string(text, position)
  local parts = {}
  while true do
    local plain, next_position = text:match('^([^"\\\0-\31]*)()', position)
    parts[#parts + 1] = plain
    local char = text:sub(next_position, next_position)
    if char == '"' then return table.concat(parts), next_position + 1 end
    if char ~= "\\" then fail(next_position, "the end of the string") end
    local escape = text:sub(next_position + 1, next_position + 1)
    local code = escape == "u" and text:match("^%x%x%x%x", next_position + 2)
    if code then
      parts[#parts + 1] = utf8.char(tonumber(code, 16))
      position = next_position + 6
    else
      parts[#parts + 1] = escapes[escape] or fail(next_position, "an escape")
      position = next_position + 2
    end
  end
end

-- The items of an array or object up to `closing`; read_item(position) → position behind it.
local function read_items(text, position, closing, read_item)
  position = skip_space(text, position)
  if text:sub(position, position) == closing then return position + 1 end
  while true do
    position = skip_space(text, read_item(skip_space(text, position)))
    local char = text:sub(position, position)
    if char == closing then return position + 1 end
    if char ~= "," then fail(position, ("',' or '%s'"):format(closing)) end
    position = position + 1
  end
end

local function read_array(text, position)
  local array = {}
  position = read_items(text, position, "]", function(at)
    array[#array + 1], at = read_value(text, at)
    return at
  end)
  return array, position
end

local function read_object(text, position)
  local object = {}
  position = read_items(text, position, "}", function(at)
    if text:sub(at, at) ~= '"' then fail(at, "a name") end
    local name
    name, at = read_string(text, at + 1)
    at = skip_space(text, at)
    if text:sub(at, at) ~= ":" then fail(at, "':'") end
    object[name], at = read_value(text, skip_space(text, at + 1))
    return at
  end)
  return object, position
end

function read_value(text, position)
  local char = text:sub(position, position)
  if char == "{" then return read_object(text, position + 1) end
  if char == "[" then return read_array(text, position + 1) end
  if char == '"' then return read_string(text, position + 1) end
  local word = text:match("^%l+", position)
  if literals[word] ~= nil then return literals[word], position + #word end
  local number = text:match("^-?%d+%.?%d*[eE]?[+-]?%d*", position)
  if tonumber(number) then return tonumber(number), position + #number end
  fail(position, "a value")
end

function json.decode(text)
  local value, position = read_value(text, skip_space(text, 1))
  position = skip_space(text, position)
  if position <= #text then fail(position, "the end") end
  return value
end

local function quote(text)
  return '"' .. text:gsub('[%c"\\]', function(char) return ("\\u%04x"):format(char:byte()) end) .. '"'
end

function json.encode(value)
  if type(value) == "string" then return quote(value) end
  if type(value) ~= "table" or value == json.null then return tostring(value) end
  local items = {}
  if #value > 0 then
    for i, item in ipairs(value) do items[i] = json.encode(item) end
    return "[" .. table.concat(items, ",") .. "]"
  end
  for name, item in pairs(value) do items[#items + 1] = quote(name) .. ":" .. json.encode(item) end
  table.sort(items)
  return "{" .. table.concat(items, ",") .. "}"
end

local document = [[
{ "name": "Glint", "guests": ["C", "C++", "Lua"], "kernel": null, "virtual": true, "limits": {"memory": 67108864, "ratio": 1.5},
  "text": "tab\tquote\" and \u00e9" }]]

local once = json.encode(json.decode(document))
local twice = json.encode(json.decode(once))
print(once)
print(once == twice and "the same after another turn" or "DIFFERENT after another turn: " .. twice)

for _, broken in ipairs { '{"a": }', "[1, 2", '"no end', "[1] 2" } do
  local ok, message = pcall(json.decode, broken)
  print(("%-10s %s"):format(broken, ok and "was taken" or message))
end
