-- SPDX-License-Identifier: Apache-2.0
-- The Mandelbrot set in characters.
local width, height, most = 72, 24, 60
local shades = " .:-=+*#%@"

local function escape(a, b)
  local x, y = 0.0, 0.0
  for step = 1, most do
    x, y = x * x - y * y + a, 2 * x * y + b
    if x * x + y * y > 4 then return step end
  end
  return most
end

for row = 0, height - 1 do
  local line = {}
  for column = 0, width - 1 do
    local steps = escape(-2.1 + 2.8 * column / width, -1.2 + 2.4 * row / (height - 1))
    local shade = 1 + math.floor((#shades - 1) * (steps / most) ^ 0.5)
    line[#line + 1] = shades:sub(shade, shade)
  end
  print((table.concat(line):gsub("%s+$", "")))
end
