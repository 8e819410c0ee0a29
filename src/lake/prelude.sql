-- Names that the models share with Spark SQL, and exact arithmetic. The session's time zone is UTC.
CREATE OR REPLACE TYPE TIMESTAMP_LTZ AS TIMESTAMPTZ;
CREATE OR REPLACE MACRO unix_micros(t) AS epoch_us(t);
CREATE OR REPLACE MACRO unix_millis(t) AS epoch_ms(t);
CREATE OR REPLACE MACRO timestamp_micros(n) AS make_timestamptz(n);
CREATE OR REPLACE MACRO try_divide(a, b) AS a / nullif(b, 0);
CREATE OR REPLACE MACRO nvl(a, b) AS coalesce(a, b);
-- trunc(a × b / c) towards zero, in 128 bits where a × b may need them (twenty times as dear); null where c is 0, an error
-- where the result leaves 64 bits.
CREATE OR REPLACE MACRO mul_div(a, b, c) AS CASE
  WHEN abs(CAST(a AS DOUBLE)) < 9e18 AND abs(CAST(b AS DOUBLE)) < 9e18 AND abs(CAST(c AS DOUBLE)) < 9e18
    AND abs(CAST(a AS DOUBLE) * CAST(b AS DOUBLE)) < 9e18
    THEN CAST(a AS BIGINT) * CAST(b AS BIGINT) // nullif(CAST(c AS BIGINT), 0)
  ELSE CAST((CAST(a AS HUGEINT) * CAST(b AS HUGEINT)) // nullif(CAST(c AS HUGEINT), 0) AS BIGINT)
END;
-- trunc(a / b) towards zero, of whole numbers; null where b is 0. Its arguments stand in it once: macros in macros multiply.
CREATE OR REPLACE MACRO int_div(a, b) AS CAST(a AS BIGINT) // nullif(CAST(b AS BIGINT), 0);
-- The text, or null where it is blank. Nearly all begin with a letter or digit: there nothing is trimmed.
CREATE OR REPLACE MACRO filled(t) AS CASE WHEN t >= '!' AND t < '~' THEN t WHEN trim(t) <> '' THEN t END;
CREATE OR REPLACE MACRO array_remove(a, x) AS list_filter(a, lambda e: e IS DISTINCT FROM x);
