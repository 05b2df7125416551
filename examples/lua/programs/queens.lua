-- SPDX-License-Identifier: Apache-2.0
-- The N queens problem: counts all solutions and draws the first one.
local n = tonumber(arg and arg[1]) or 8

local columns, falling, rising = {}, {}, {}
local queens, solutions, first = {}, 0, nil

local function place(row)
  if row > n then
    solutions = solutions + 1
    first = first or table.move(queens, 1, n, 1, {})
    return
  end
  for column = 1, n do
    local down, up = row - column, row + column
    if not (columns[column] or falling[down] or rising[up]) then
      columns[column], falling[down], rising[up] = true, true, true
      queens[row] = column
      place(row + 1)
      columns[column], falling[down], rising[up] = nil, nil, nil
    end
  end
end

place(1)
print(("%d queens: %d solutions"):format(n, solutions))
for _, column in ipairs(first or {}) do
  print((". "):rep(column - 1) .. "Q" .. (" ."):rep(n - column))
end
