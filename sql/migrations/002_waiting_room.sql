-- The waiting room at on-sale scale: leaving, signs of life, no-shows, exact places.
--
--  * waiting_queue.place: the number by which the line is admitted. For who comes while the line
--    is live it is the ticket's own number; for who joined a draw it is NULL until the draw.
--  * status ASIDE: gave no sign of life when its turn came. It keeps its place until aside_until.
--    LEFT: went by itself. Both are in live_user_id's rule: ASIDE is live, LEFT is not.
--  * seen_at: the last sign of life of who waits near the head. show_up_by: until when an admitted
--    ticket must make its first call; NULL once it has, at arrived_at.
--  * due_at: when a tick has to look at the ticket again: the end of its admission or of its time
--    to show up, or of its grace. One key finds them all.
--  * out_seq: counts up, under the lock on gate_state, with every ticket that stops waiting.
--    Fronts read what came after the number they know, so a place is exact and costs no poll a query.
--  * gate_state: policy_state and message are of the policy that rules, for the fronts; near is the
--    place up to which signs of life count; stock is what is left to buy: while no seat is free nobody
--    is admitted, and when all are sold nobody can join; reclaimed, abandoned and departed are totals.
--  * gate_policy: the rest of the policy. The constraint takes what lib/policy.c takes.
--
-- A statement that changes the schema commits by itself: each is guarded, so that a file that
-- failed half way can run again, on MariaDB and MySQL alike.

SET @change = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
                  AND table_name = 'waiting_queue' AND column_name = 'place') > 0, 'DO 0',
    "ALTER TABLE waiting_queue
        DROP KEY waiting_queue_status,
        DROP KEY waiting_queue_live_user,
        DROP COLUMN live_user_id,
        MODIFY status ENUM('WAITING', 'ACTIVE', 'EXPIRED', 'FINISHED', 'LEFT', 'ASIDE') NOT NULL,
        ADD COLUMN place BIGINT NULL,
        ADD COLUMN seen_at DATETIME(6) NULL,
        ADD COLUMN show_up_by DATETIME(6) NULL,
        ADD COLUMN arrived_at DATETIME(6) NULL,
        ADD COLUMN aside_until DATETIME(6) NULL,
        ADD COLUMN out_seq BIGINT NULL");
PREPARE change_it FROM @change;
EXECUTE change_it;
DEALLOCATE PREPARE change_it;

UPDATE waiting_queue SET place = id, seen_at = updated_at WHERE place IS NULL;

SET @change = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
                  AND table_name = 'waiting_queue' AND column_name = 'live_user_id') > 0, 'DO 0',
    "ALTER TABLE waiting_queue
        ADD COLUMN live_user_id BIGINT
            AS (IF(status IN ('WAITING', 'ASIDE', 'ACTIVE'), user_id, NULL)) STORED,
        ADD COLUMN due_at DATETIME(6)
            AS (CASE status WHEN 'ACTIVE' THEN LEAST(expired_at, COALESCE(show_up_by, expired_at))
                            WHEN 'ASIDE' THEN aside_until END) STORED,
        ADD UNIQUE KEY waiting_queue_live_user (live_user_id),
        ADD UNIQUE KEY waiting_queue_number (place),
        ADD KEY waiting_queue_line (status, place),
        ADD KEY waiting_queue_due (status, due_at),
        ADD KEY waiting_queue_arrived (arrived_at),
        ADD KEY waiting_queue_out (out_seq)");
PREPARE change_it FROM @change;
EXECUTE change_it;
DEALLOCATE PREPARE change_it;

SET @change = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
                  AND table_name = 'gate_state' AND column_name = 'out_seq') > 0, 'DO 0',
    "ALTER TABLE gate_state
        ADD COLUMN policy_state ENUM('open', 'paused', 'closed') NOT NULL DEFAULT 'paused',
        ADD COLUMN message VARCHAR(200) NOT NULL DEFAULT '',
        ADD COLUMN stock ENUM('free', 'held', 'sold') NOT NULL DEFAULT 'free',
        ADD COLUMN out_seq BIGINT NOT NULL DEFAULT 0,
        ADD COLUMN near BIGINT NOT NULL DEFAULT 0,
        ADD COLUMN reclaimed BIGINT NOT NULL DEFAULT 0,
        ADD COLUMN abandoned BIGINT NOT NULL DEFAULT 0,
        ADD COLUMN departed BIGINT NOT NULL DEFAULT 0");
PREPARE change_it FROM @change;
EXECUTE change_it;
DEALLOCATE PREPARE change_it;

SET @change = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
                  AND table_name = 'gate_policy' AND column_name = 'show_up_s') > 0, 'DO 0',
    "ALTER TABLE gate_policy
        DROP CONSTRAINT gate_policy_sane,
        ADD COLUMN show_up_s INT NOT NULL DEFAULT 0 AFTER active_s,
        ADD COLUMN quiet_s INT NOT NULL DEFAULT 0 AFTER show_up_s,
        ADD COLUMN grace_s INT NOT NULL DEFAULT 0 AFTER quiet_s,
        ADD COLUMN counts ENUM('releases', 'arrivals') NOT NULL DEFAULT 'releases' AFTER grace_s,
        ADD COLUMN reason VARCHAR(200) NOT NULL DEFAULT '' AFTER counts,
        ADD COLUMN message VARCHAR(200) NOT NULL DEFAULT '' AFTER reason,
        ADD CONSTRAINT gate_policy_in_range CHECK (max_active BETWEEN 0 AND 1000000
            AND window_limit BETWEEN 0 AND 1000000 AND window_s BETWEEN 1 AND 86400
            AND active_s BETWEEN 1 AND 86400 AND show_up_s BETWEEN 0 AND 86400
            AND quiet_s BETWEEN 0 AND 86400 AND grace_s BETWEEN 0 AND 86400)");
PREPARE change_it FROM @change;
EXECUTE change_it;
DEALLOCATE PREPARE change_it;
