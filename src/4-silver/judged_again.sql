-- Devices of which a committed row would come out otherwise with the new rows: the newest counter step turns out to be
-- a glitch, or a method is found to have ended at its last value although rows that count otherwise have followed it.
-- grain:  one row per device
-- key:    device_no
-- inputs: energy (its carried rows, seq < 0: -5…-3 counter steps, -2 and -1 the last rows that may end a method), carried, channels, constants
-- window: none
SELECT DISTINCT h.device_no
FROM energy e
JOIN carried s ON s.channel_no = e.channel_no
JOIN channels h ON h.channel_no = e.channel_no
CROSS JOIN constants k
WHERE (e.seq BETWEEN -5 AND -3 AND e.is_glitch)
  OR (e.seq = -2 AND NOT e.in_counter AND s.lower_c_us <= s.c_us + k.method_end_us)
  OR (e.seq = -1 AND NOT e.in_reported AND s.lower_r_us <= s.r_us + k.method_end_us)
