-- Two concerts with three schedules, on sale now and for three years, seats 1 to 50 each in three
-- price classes. Loaded into an empty catalogue only: run again, or beside real concerts, it does
-- nothing. Seat ids are (schedule - 1) * 50 + seat number.
START TRANSACTION;

SET @now = UTC_TIMESTAMP(6);
SET @today = CAST(UTC_DATE() AS DATETIME);
SET @empty = (SELECT COUNT(*) = 0 FROM concert);

INSERT INTO concert (id, name, created_at, updated_at)
SELECT id, name, @now, @now
FROM (SELECT 1 AS id, '한강 여름밤 콘서트' AS name
      UNION ALL SELECT 2, 'Winter Strings') AS demo
WHERE @empty;

INSERT INTO concert_schedule (id, concert_id, total_seats, open_at, close_at, booking_start_at,
                              booking_end_at, created_at, updated_at)
SELECT id, concert_id, 50, @today + INTERVAL days DAY + INTERVAL 10 HOUR,
       @today + INTERVAL days DAY + INTERVAL 13 HOUR, @today - INTERVAL 1 DAY,
       @today + INTERVAL 1095 DAY, @now, @now
FROM (SELECT 1 AS id, 1 AS concert_id, 1100 AS days
      UNION ALL SELECT 2, 1, 1101
      UNION ALL SELECT 3, 2, 1130) AS demo
WHERE @empty;

INSERT INTO seat (id, concert_schedule_id, seat_number, price, created_at, updated_at)
WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 50)
SELECT (schedule.id - 1) * 50 + n, schedule.id, n,
       CASE WHEN n <= 10 THEN 154000 WHEN n <= 30 THEN 121000 ELSE 88000 END, @now, @now
FROM concert_schedule AS schedule
CROSS JOIN number
WHERE @empty
ORDER BY schedule.id, n;

COMMIT;
