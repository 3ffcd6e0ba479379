-- Rules for the tests: what a message asks for in X-Test is done, and what rspamd was told is shown as symbols.
local function wants(task)
  return task:get_header('X-Test') or ''
end

rspamd_config:register_symbol({
  name = 'TEST_ACTION', type = 'prefilter', callback = function(task)
    local action = wants(task)
    if action == 'rewrite subject' then
      task:set_metric_subject('*** %s')
    end
    if action == 'rewrite subject' or action == 'soft reject' or action == 'add header' or action == 'greylist' then
      task:set_pre_result(action, 'as the test says')
    end
  end,
})

-- As many points as the greylist module, in its stock configuration, waits for.
rspamd_config:register_symbol({
  name = 'TEST_POINTS', score = 5.0, callback = function(task) return wants(task) == 'points' end,
})

local function shows(name, of)
  rspamd_config:register_symbol({ name = name, score = 0.0, callback = function(task) return of(task) end })
end

shows('TOLD_IP', function(task)
  local ip = task:get_from_ip()
  return ip ~= nil and ip:is_valid() and tostring(ip) == '198.51.100.7'
end)
shows('TOLD_HELO', function(task) return task:get_helo() == 'mail.sender.example' end)
shows('TOLD_HOSTNAME', function(task) return task:get_hostname() == 'out.sender.example' end)
shows('TOLD_FROM', function(task)
  local from = task:get_from('smtp')
  return from ~= nil and from[1].addr == 'bounce@sender.example'
end)
shows('TOLD_RCPT', function(task)
  local rcpts = task:get_recipients('smtp')
  return rcpts ~= nil and rcpts[1].addr == 'alias@provider.example'
end)
shows('TOLD_USER', function(task) return task:get_request_header('Deliver-To') ~= nil
  and tostring(task:get_request_header('Deliver-To')) == 'me@home.example' end)
shows('TOLD_LOGIN', function(task) return task:get_user() ~= nil end)

rspamd_config:register_symbol({
  name = 'TEST_MILTER', type = 'postfilter', callback = function(task)
    if wants(task) == 'milter' then
      task:set_milter_reply({
        remove_headers = { ['X-Unwanted'] = 0, ['X-Second'] = 2 },
        add_headers = { ['X-Wanted'] = 'from a rule' },
      })
    end
  end,
})
