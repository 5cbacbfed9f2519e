-- Who changed the catalogue, when, and what: boxofficectl adds a row for each change, in the
-- transaction of the change itself. Nothing in the service reads them.

CREATE TABLE IF NOT EXISTS catalogue_change (
    id         BIGINT NOT NULL AUTO_INCREMENT,
    changed_by VARCHAR(100) NOT NULL,
    changed_at DATETIME(6) NOT NULL,
    concert_id BIGINT NULL,
    schedule_id BIGINT NULL,
    what       VARCHAR(500) NOT NULL,
    PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
