-- Devices of which a committed row would come out otherwise with the new rows: the newest counter step turns out to be
-- a glitch, or a method is found to have ended at its last value although rows that count otherwise have followed it.
-- grain:  one row per device
-- key:    tenant_id, device_id
-- inputs: energy (its carried rows, seq < 0: -5…-3 counter steps, -2 and -1 the last rows that may end a method), carried, constants
-- window: none
-- checks: none
SELECT DISTINCT e.tenant_id, e.device_id
FROM energy e
JOIN carried s ON s.tenant_id = e.tenant_id AND s.device_id = e.device_id AND s.channel = e.channel
CROSS JOIN constants k
WHERE (e.seq BETWEEN -5 AND -3 AND e.is_glitch)
  OR (e.seq = -2 AND NOT e.in_counter AND s.lower_c_us <= s.c_us + k.method_end_us)
  OR (e.seq = -1 AND NOT e.in_reported AND s.lower_r_us <= s.r_us + k.method_end_us)
