-- Asks stepgate about a request, for `http-request lua.stepgate ADDRESS` in haproxy.cfg, with ADDRESS
-- as `http://127.0.0.1:8080`. Lets the request go on with who is asking, or answers it. HAProxy 2.6 on.

-- What the application is told in place of what the client says: the names of STEPGATE_HEADERS, the
-- client's cookies without stepgate's, and its credentials without an access token.
local TOLD = {
  "x-forwarded-user", "x-forwarded-email", "x-forwarded-preferred-username", "x-forwarded-groups",
  "x-stepgate-subject", "x-stepgate-acr", "x-stepgate-amr", "x-stepgate-auth-time",
  "x-stepgate-otp-time", "x-stepgate-assertion", "cookie", "authorization",
}

-- Of this connection, or of a body that is not sent along.
local NOT_ASKED = {
  ["connection"] = true, ["content-length"] = true, ["expect"] = true, ["keep-alive"] = true,
  ["te"] = true, ["trailer"] = true, ["transfer-encoding"] = true, ["upgrade"] = true,
  ["x-stepgate-mode"] = true, ["forwarded"] = true, ["x-original-method"] = true, ["x-original-uri"] = true,
  ["x-forwarded-for"] = true, ["x-forwarded-host"] = true, ["x-forwarded-proto"] = true,
}

-- The values of a header of a message, which HAProxy counts from 0.
local function values(headers, name)
  local list = {}
  local found = headers and headers[name]
  local index = 0
  while found and found[index] do
    list[#list + 1] = found[index]
    index = index + 1
  end
  return list
end

local function answer(txn, status, headers, body)
  local reply = txn:reply()
  reply:set_status(status)
  for name in pairs(headers) do
    if name ~= "connection" and name ~= "content-length" and name ~= "transfer-encoding"
      and name ~= "keep-alive" then
      for _, value in ipairs(values(headers, name)) do reply:add_header(name, value) end
    end
  end
  reply:set_body(body)
  txn:done(reply)
end

local function ask(txn, address)
  local sent = txn.http:req_get_headers()
  local headers = {}
  for name in pairs(sent) do
    if not NOT_ASKED[name] then headers[name] = values(sent, name) end
  end
  headers["x-original-method"] = { txn.f:method() }
  -- As it came, like what the application gets.
  headers["x-original-uri"] = { txn.f:pathq() }
  headers["x-forwarded-for"] = { txn.f:src() }
  headers["x-forwarded-host"] = values(sent, "host")
  local tls = txn.f:ssl_fc()
  headers["x-forwarded-proto"] = { (tls == true or tls == 1) and "https" or "http" }
  return core.httpclient():get({
    url = address .. "/_stepgate/auth",
    headers = headers,
    -- In ms. HAProxy asks three times more before the request is answered by an error.
    timeout = 10000,
  })
end

core.register_action("stepgate", { "http-req" }, function(txn, address)
  local asked, response = pcall(ask, txn, address)
  local status = asked and response and response.status or 0
  if status ~= 200 then
    if status < 300 then return answer(txn, 503, {}, "stepgate does not answer\n") end
    return answer(txn, status, response.headers, response.body or "")
  end
  for _, name in ipairs(TOLD) do
    txn.http:req_del_header(name)
    for _, value in ipairs(values(response.headers, name)) do
      if value ~= "" then txn.http:req_add_header(name, value) end
    end
  end
  -- The session's cookie, written again in time; one of many groups is cut into up to four.
  for index = 1, 4 do
    local cookie = values(response.headers, "x-stepgate-set-cookie-" .. index)[1]
    if cookie then txn:set_var("txn.stepgate_cookie_" .. index, cookie) end
  end
  txn:set_var("txn.stepgate_allowed", true)
end, 1)
