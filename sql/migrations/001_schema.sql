-- The schema, by the ERD of the service's source document. Departures, each with its reason:
--
--  * One spelling: the ERD mixes userID, totalSeats and open_at; here all is snake_case, as in the
--    statements that read it. HTTP and JSON keep the API's own names.
--  * Times are DATETIME(6) in UTC: holds are judged to the microsecond by the database's clock.
--  * user.uuid: the public, unguessable name of a user; the number stays inside.
--  * concert_schedule.reserved_seats is missing: a counter in one row is what everybody who buys
--    would wait for. Reserved seats are counted from seat_reservation.
--  * seat.seat_number keeps the ERD's text; seat.is_active means "on sale at all", set by an
--    operator. Whether a seat is taken now is said by seat_reservation alone.
--  * seat_reservation.expires_at, ticket_id, price, job_id: when the hold ends, which ticket it
--    counts for, the price of that moment, the job that made it.
--  * seat_reservation.live_seat_id: the seat's id while the row is PENDING or PAID, else NULL. Its
--    unique key is what makes a second sale impossible, whoever tries.
--  * waiting_queue.id is the ticket number, given out by gate_state without gaps, so it is not
--    AUTO_INCREMENT. live_user_id is the same trick as live_seat_id: one live ticket a user.
--    admitted_at: the window of the admission policy slides over it.
--  * payment.reservation_id (unique) and job_id (unique): a hold is paid once, a job pays once.
--    seat_number, concert_name, open_date and close_date are copies, as in the ERD: a ticket says
--    what was bought, whatever is renamed later.
--  * cash_history.job_id (unique, never pruned): no charge is ever applied twice, even after its
--    row in job was pruned. balance_after lets an auditor replay the ledger.
--  * job: which jobs are done, with their outcome; committed together with their effect.
--  * gate_state, gate_policy: one row of counters, and the policies with who changed them.
--
-- Every table is InnoDB; foreign keys follow the ERD ("indirect references"): only within
-- concert -> concert_schedule -> seat, so that hot rows are not share-locked by inserts elsewhere.

CREATE TABLE IF NOT EXISTS user (
    id          BIGINT NOT NULL AUTO_INCREMENT,
    uuid        BINARY(16) NOT NULL,
    name        VARCHAR(100) NOT NULL,
    job_id      BINARY(16) NOT NULL,
    created_at  DATETIME(6) NOT NULL,
    updated_at  DATETIME(6) NOT NULL,
    deleted_at  DATETIME(6) NULL,
    PRIMARY KEY (id),
    UNIQUE KEY user_uuid (uuid)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS cash (
    user_id     BIGINT NOT NULL,
    balance     BIGINT NOT NULL DEFAULT 0,
    created_at  DATETIME(6) NOT NULL,
    updated_at  DATETIME(6) NOT NULL,
    deleted_at  DATETIME(6) NULL,
    PRIMARY KEY (user_id),
    CONSTRAINT cash_balance_in_range CHECK (balance BETWEEN 0 AND 9007199254740991)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS cash_history (
    id            BIGINT NOT NULL AUTO_INCREMENT,
    user_id       BIGINT NOT NULL,
    job_id        BINARY(16) NOT NULL,
    amount        BIGINT NOT NULL,
    balance_after BIGINT NOT NULL,
    description   VARCHAR(200) NOT NULL,
    created_at    DATETIME(6) NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY cash_history_job (job_id),
    KEY cash_history_user (user_id, id),
    CONSTRAINT cash_history_amount_not_zero CHECK (amount <> 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS waiting_queue (
    id           BIGINT NOT NULL,
    user_id      BIGINT NOT NULL,
    job_id       BINARY(16) NOT NULL,
    status       ENUM('WAITING', 'ACTIVE', 'EXPIRED', 'FINISHED') NOT NULL,
    created_at   DATETIME(6) NOT NULL,
    admitted_at  DATETIME(6) NULL,
    expired_at   DATETIME(6) NULL,
    updated_at   DATETIME(6) NOT NULL,
    live_user_id BIGINT AS (IF(status IN ('WAITING', 'ACTIVE'), user_id, NULL)) STORED,
    PRIMARY KEY (id),
    UNIQUE KEY waiting_queue_live_user (live_user_id),
    KEY waiting_queue_status (status, id),
    KEY waiting_queue_admitted (admitted_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS concert (
    id          BIGINT NOT NULL AUTO_INCREMENT,
    name        VARCHAR(200) NOT NULL,
    created_at  DATETIME(6) NOT NULL,
    updated_at  DATETIME(6) NOT NULL,
    deleted_at  DATETIME(6) NULL,
    PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS concert_schedule (
    id               BIGINT NOT NULL AUTO_INCREMENT,
    concert_id       BIGINT NOT NULL,
    total_seats      INT NOT NULL,
    open_at          DATETIME(6) NOT NULL,
    close_at         DATETIME(6) NOT NULL,
    booking_start_at DATETIME(6) NOT NULL,
    booking_end_at   DATETIME(6) NOT NULL,
    created_at       DATETIME(6) NOT NULL,
    updated_at       DATETIME(6) NOT NULL,
    deleted_at       DATETIME(6) NULL,
    PRIMARY KEY (id),
    KEY concert_schedule_concert (concert_id),
    CONSTRAINT concert_schedule_of_concert FOREIGN KEY (concert_id) REFERENCES concert (id),
    CONSTRAINT concert_schedule_times CHECK (open_at <= close_at AND booking_start_at <= booking_end_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS seat (
    id                  BIGINT NOT NULL AUTO_INCREMENT,
    concert_schedule_id BIGINT NOT NULL,
    seat_number         VARCHAR(8) NOT NULL,
    is_active           BOOLEAN NOT NULL DEFAULT TRUE,
    price               INT NOT NULL,
    created_at          DATETIME(6) NOT NULL,
    updated_at          DATETIME(6) NOT NULL,
    deleted_at          DATETIME(6) NULL,
    PRIMARY KEY (id),
    UNIQUE KEY seat_number_of_schedule (concert_schedule_id, seat_number),
    CONSTRAINT seat_of_schedule FOREIGN KEY (concert_schedule_id) REFERENCES concert_schedule (id),
    CONSTRAINT seat_price_positive CHECK (price BETWEEN 1 AND 100000000)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS seat_reservation (
    id           BIGINT NOT NULL AUTO_INCREMENT,
    seat_id      BIGINT NOT NULL,
    user_id      BIGINT NOT NULL,
    ticket_id    BIGINT NOT NULL,
    job_id       BINARY(16) NOT NULL,
    status       ENUM('PENDING', 'PAID', 'CANCELLED', 'EXPIRED') NOT NULL,
    price        INT NOT NULL,
    expires_at   DATETIME(6) NOT NULL,
    created_at   DATETIME(6) NOT NULL,
    updated_at   DATETIME(6) NOT NULL,
    deleted_at   DATETIME(6) NULL,
    live_seat_id BIGINT AS (IF(status IN ('PENDING', 'PAID'), seat_id, NULL)) STORED,
    PRIMARY KEY (id),
    UNIQUE KEY seat_reservation_live_seat (live_seat_id),
    UNIQUE KEY seat_reservation_job (job_id),
    KEY seat_reservation_seat_user (seat_id, user_id, id),
    KEY seat_reservation_ticket (ticket_id, status),
    KEY seat_reservation_due (status, expires_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS payment (
    id             BIGINT NOT NULL AUTO_INCREMENT,
    user_id        BIGINT NOT NULL,
    reservation_id BIGINT NOT NULL,
    job_id         BINARY(16) NOT NULL,
    seat_number    VARCHAR(8) NOT NULL,
    concert_name   VARCHAR(200) NOT NULL,
    open_date      DATETIME(6) NOT NULL,
    close_date     DATETIME(6) NOT NULL,
    total_amount   BIGINT NOT NULL,
    status         ENUM('PAID', 'REFUNDED') NOT NULL,
    created_at     DATETIME(6) NOT NULL,
    updated_at     DATETIME(6) NOT NULL,
    deleted_at     DATETIME(6) NULL,
    PRIMARY KEY (id),
    UNIQUE KEY payment_reservation (reservation_id),
    UNIQUE KEY payment_job (job_id),
    KEY payment_user (user_id, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS job (
    id          BINARY(16) NOT NULL,
    kind        VARCHAR(16) NOT NULL,
    attempt     INT NOT NULL,
    fingerprint BINARY(32) NOT NULL,
    code        VARCHAR(32) NOT NULL,
    why         VARCHAR(160) NOT NULL,
    data        VARCHAR(2048) NOT NULL,
    created_at  DATETIME(6) NOT NULL,
    PRIMARY KEY (id),
    KEY job_created (created_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS gate_state (
    id           TINYINT NOT NULL,
    last_ticket  BIGINT NOT NULL DEFAULT 0,
    served       BIGINT NOT NULL DEFAULT 0,
    waiting      BIGINT NOT NULL DEFAULT 0,
    active       BIGINT NOT NULL DEFAULT 0,
    per_minute   BIGINT NOT NULL DEFAULT 0,
    ticked_at    DATETIME(6) NOT NULL DEFAULT '1970-01-01 00:00:00',
    PRIMARY KEY (id),
    CONSTRAINT gate_state_is_one_row CHECK (id = 1),
    CONSTRAINT gate_state_served CHECK (served BETWEEN 0 AND last_ticket)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

INSERT IGNORE INTO gate_state (id) VALUES (1);

CREATE TABLE IF NOT EXISTS gate_policy (
    id           BIGINT NOT NULL AUTO_INCREMENT,
    state        ENUM('open', 'paused', 'closed') NOT NULL,
    max_active   BIGINT NOT NULL,
    window_limit BIGINT NOT NULL,
    window_s     INT NOT NULL,
    active_s     INT NOT NULL,
    changed_by   VARCHAR(100) NOT NULL,
    changed_at   DATETIME(6) NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT gate_policy_sane CHECK (max_active >= 0 AND window_limit >= 0
        AND window_s BETWEEN 1 AND 86400 AND active_s BETWEEN 1 AND 86400)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
