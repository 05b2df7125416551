-- SPDX-License-Identifier: Apache-2.0
-- The most frequent words of a text: of the file named as the first argument, or of the text below.
local text = [[
A sandbox is a place to play in which nothing that is done does harm to what lies outside. The child who builds a castle in
the sand and the program that was sent by a stranger have this in common: both may do what they like inside, and neither can
do anything outside. The walls of the sandbox are not there because the child is bad; they are there because nobody can say
what the child will do next. A wall that stands by itself needs no trust in what it surrounds.]]

if arg and arg[1] then
  local file <close> = assert(io.open(arg[1], "r"))
  text = file:read("a")
end

local counts, total = {}, 0
for word in text:lower():gmatch("%a+") do
  counts[word] = (counts[word] or 0) + 1
  total = total + 1
end

local words = {}
for word in pairs(counts) do words[#words + 1] = word end
table.sort(words, function(a, b) return counts[a] > counts[b] or counts[a] == counts[b] and a < b end)

print(("%d words, %d different"):format(total, #words))
for i = 1, math.min(8, #words) do
  print(("%4d  %-8s %s"):format(counts[words[i]], words[i], ("#"):rep(counts[words[i]])))
end
