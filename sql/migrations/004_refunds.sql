-- Money given back: a payment refunded, a charge reversed, each once and with a row of its own in the
-- history.
--
--  * seat_reservation.status REFUNDED: was paid, and is over; live_seat_id lets go of the seat.
--  * payment.refund_job_id: the job that gave the money back; with its row in cash_history.
--  * cash_history.reverses: the charge that this row takes back. Its unique key is the last guard
--    against taking it back twice.
--
-- Each change is guarded, as in 002.

SET @change = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
                  AND table_name = 'seat_reservation' AND column_name = 'status'
                  AND column_type LIKE '%REFUNDED%') > 0, 'DO 0',
    "ALTER TABLE seat_reservation
        MODIFY status ENUM('PENDING', 'PAID', 'CANCELLED', 'EXPIRED', 'REFUNDED') NOT NULL");
PREPARE change_it FROM @change;
EXECUTE change_it;
DEALLOCATE PREPARE change_it;

SET @change = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
                  AND table_name = 'payment' AND column_name = 'refund_job_id') > 0, 'DO 0',
    "ALTER TABLE payment
        ADD COLUMN refund_job_id BINARY(16) NULL AFTER status,
        ADD UNIQUE KEY payment_refund_job (refund_job_id),
        ADD CONSTRAINT payment_refunded_by_a_job
            CHECK ((status = 'REFUNDED') = (refund_job_id IS NOT NULL))");
PREPARE change_it FROM @change;
EXECUTE change_it;
DEALLOCATE PREPARE change_it;

SET @change = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
                  AND table_name = 'cash_history' AND column_name = 'reverses') > 0, 'DO 0',
    "ALTER TABLE cash_history
        ADD COLUMN reverses BIGINT NULL AFTER description,
        ADD UNIQUE KEY cash_history_reverses (reverses),
        ADD CONSTRAINT cash_history_reversal_takes CHECK (reverses IS NULL OR amount < 0)");
PREPARE change_it FROM @change;
EXECUTE change_it;
DEALLOCATE PREPARE change_it;
