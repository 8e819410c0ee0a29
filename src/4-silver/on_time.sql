-- Candidates later than everything accepted of their device: they can be appended.
-- grain:  one row per candidate that is on time
-- key:    seq
-- inputs: checked, newest (newest accepted event time per device), held (devices to leave to the late pass)
-- window: none
-- checks: not null seq
SELECT c.*
FROM checked c
LEFT JOIN newest n ON n.tenant_id = c.tenant_id AND n.device_id = c.device_id
LEFT JOIN held h ON h.tenant_id = c.tenant_id AND h.device_id = c.device_id
WHERE c.reject_reason IS NULL AND c.t_us > coalesce(n.newest_us, -9000000000000000) AND h.device_id IS NULL
