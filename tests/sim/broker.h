/*
 * The broker's process and machine: ttgd's own step, recovery, sessions, core and journal, without
 * sockets and threads. It starts, runs cycle by cycle, and ends in every way there is.
 */
#ifndef TTG_SIM_BROKER_H
#define TTG_SIM_BROKER_H

#include "sim/life.h"

struct record_event;

struct broker;
struct journal;

struct broker *broker_new(void);
void broker_free(struct broker **broker);
struct disk *broker_disk(struct broker *broker);
bool broker_up(const struct broker *broker);

/* One cycle; starts it when it is down. */
void broker_step(struct broker *broker);
/* The process is killed, or the machine loses power. */
void broker_crash(struct broker *broker, enum disk_crash how);
/* SIGTERM. */
void broker_stop(struct broker *broker);

void broker_new_rules(struct broker *broker);
/* The last rules: everything is agreed, for ever. */
void broker_peace(struct broker *broker);
void broker_letter(struct broker *broker);
void broker_give_up(struct broker *broker);
/* Its disk has so much room left; UINT64_MAX: enough. */
void broker_fill(struct broker *broker, uint64_t left);
void broker_flip(struct broker *broker);
void broker_backup(struct broker *broker);
void broker_restore(struct broker *broker);
void broker_erase(struct broker *broker);
/* A mailbox is delivered again, or that is stopped. */
void broker_redeliver(struct broker *broker);
void broker_new_master(struct broker *broker);
/* The bytes of an event that was just sealed, valid until the store is used again. */
void broker_reveal(const struct broker *broker, struct record_event *event);
/* What is erased on disk is destroyed. */
void broker_check_erased(const struct broker *broker);
/* Every event is sealed; and every seal there is, is right. */
bool broker_sealed(const struct broker *broker);
void broker_check_seals(const struct broker *broker);
/* What the journal let go is in the archive. */
void broker_check_archive(const struct broker *broker);
/* The record is in its journal. */
bool broker_holds(const struct broker *broker, uint64_t sequence);
/* It is the broker's own, not its archive's. */
bool broker_is_journal(const struct broker *broker, const struct journal *journal);
/* The core's state is what the model says. */
void broker_compare(struct broker *broker);

/* The mailbox that the peer has attached by this handle; NULL: none. */
const char *broker_mailbox(const struct broker *broker, const void *routing, size_t len,
                           uint32_t handle);

/* The key of whoever has this name. */
void broker_key(const char *name, char out[41]);

#endif
