-- Candidates later than everything accepted of their device: they can be appended.
-- grain:  one row per candidate that is on time
-- key:    seq
-- inputs: checked, newest (newest accepted event time per device), held (devices to leave to the late pass)
-- window: none
SELECT c.*
FROM checked c
LEFT JOIN newest n ON n.device_no = c.device_no
LEFT JOIN held h ON h.device_no = c.device_no
WHERE c.reject_reason IS NULL AND c.t_us > coalesce(n.newest_us, -9000000000000000) AND h.device_no IS NULL
