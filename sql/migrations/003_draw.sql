-- The draw: who joins before the opening gets a place by lot (lib/draw.h says how).
--
--  * One draw at a time is not drawn yet: live says which, and its unique key keeps it one.
--  * first_ticket and last_ticket: the roster, without gaps. Its tickets have no place until the order
--    is known; then they have these very numbers as places, each once.
--  * secret is for the gate alone until the draw is done; revealed is its copy for everybody.
--  * gate_state.draws counts the draws that are done: fronts then read the new places.

CREATE TABLE IF NOT EXISTS gate_draw (
    id           BIGINT NOT NULL AUTO_INCREMENT,
    state        ENUM('joining', 'closed', 'drawing', 'drawn') NOT NULL,
    opens_at     DATETIME(6) NOT NULL,
    zone         VARCHAR(64) NOT NULL,
    public_name  VARCHAR(200) NOT NULL,
    public_value VARCHAR(200) NULL,
    secret       BINARY(32) NOT NULL,
    commitment   BINARY(32) NOT NULL,
    first_ticket BIGINT NULL,
    last_ticket  BIGINT NULL,
    roster       BINARY(32) NULL,
    seed         BINARY(32) NULL,
    revealed     BINARY(32) NULL,
    changed_by   VARCHAR(100) NOT NULL,
    created_at   DATETIME(6) NOT NULL,
    updated_at   DATETIME(6) NOT NULL,
    live         TINYINT AS (IF(state = 'drawn', NULL, 1)) STORED,
    PRIMARY KEY (id),
    UNIQUE KEY gate_draw_live (live),
    CONSTRAINT gate_draw_roster_in_order CHECK (first_ticket <= last_ticket),
    CONSTRAINT gate_draw_seed_of_roster CHECK (seed IS NULL OR (roster IS NOT NULL AND public_value IS NOT NULL))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

SET @change = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
                  AND table_name = 'gate_state' AND column_name = 'draws') > 0, 'DO 0',
    "ALTER TABLE gate_state ADD COLUMN draws BIGINT NOT NULL DEFAULT 0");
PREPARE change_it FROM @change;
EXECUTE change_it;
DEALLOCATE PREPARE change_it;
