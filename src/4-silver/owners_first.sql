-- What the first arrival of each repeated identity owns.
-- grain:  one row per repeated identity
-- key:    identity, owned_from
-- inputs: repeated
-- window: none
-- check first_owns: owned_from = identity
SELECT
  identity, seq AS owned_from,
  temperature, power_usage, energy_consumption_wh, energy_total_wh, status, alert, metrics
FROM repeated
WHERE seq = identity
