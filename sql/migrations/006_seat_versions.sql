-- The newest reservation of a seat, found by one look at the end of a key: fronts number with it what
-- happened to a seat, whatever became of the reservation (fcgi-front/seat_map.h).
--
-- Guarded, as in 002.

SET @change = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE()
                  AND table_name = 'seat_reservation' AND index_name = 'seat_reservation_seat') > 0, 'DO 0',
    "ALTER TABLE seat_reservation ADD KEY seat_reservation_seat (seat_id, id)");
PREPARE change_it FROM @change;
EXECUTE change_it;
DEALLOCATE PREPARE change_it;
