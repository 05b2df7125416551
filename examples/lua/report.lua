-- SPDX-License-Identifier: Apache-2.0
-- A report over orders, as an application might let its users write: the data come from the host by host.lookup, one line
-- "customer;currency;amount" each; so do the exchange rates. What is returned is the result of the call.

local function orders()
  return host.lookup("orders"):gmatch("([^;\n]+);(%u+);([%d.]+)")
end

local rates = setmetatable({ EUR = 1.0 }, {
  __index = function(known, currency)
    local rate = tonumber(host.lookup("rate." .. currency))
    rawset(known, currency, rate)
    return rate
  end,
})

local sums, count = {}, 0
for customer, currency, amount in orders() do
  sums[customer] = (sums[customer] or 0) + tonumber(amount) / rates[currency]
  count = count + 1
end
host.log(("read %d orders"):format(count))

local customers = {}
for customer in pairs(sums) do customers[#customers + 1] = customer end
table.sort(customers, function(a, b) return sums[a] > sums[b] end)

local lines = {}
for place, customer in ipairs(customers) do
  local padding = (" "):rep(12 - utf8.len(customer))
  lines[place] = ("%d. %s%s%9.2f EUR"):format(place, customer, padding, sums[customer])
end
return table.concat(lines, "\n")
