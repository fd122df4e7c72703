/* One client on floors that are not real: a loop whose clock stands still unless it is told to go,
 * a stream and an attempt that do what the exploration says, and an owner whose handlers do
 * whatever they may. What has to hold in each state is judged after each step. */
#ifndef EXPLORE_EXPLORE_H
#define EXPLORE_EXPLORE_H

#include "client/client.h"
#include "path.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLOCKED 10.0 /* seconds that the program, or a handler, may keep the loop from polling */

/* One set of options, and one way to use a client. */
struct way {
    const char *name;
    void (*set)(struct steady_options *options);
    bool traces;  /* each frame is told */
    bool pings;   /* the peer may send very many pings */
    bool keeps;   /* no on_message: messages are kept in the inbox */
    bool watches; /* the owner wants to hear of the end of each delivery */
    bool frees;   /* the owner frees the client when it is released */
    bool crowded; /* other attempts have all places, until one of them ends */
};

extern const struct way ways[];
extern const int way_count;

struct world {
    struct steady_loop loop;
    struct steady_client client;
    const struct way *way;
    double clock;   /* seconds */
    double turned;  /* what the loop takes for now */
    double waited;  /* seconds for which the loop has waited in its poll */
    bool started;   /* from here on memory may fail */
    bool gone;      /* the owner has freed the client */
    bool crowded;   /* another attempt has the last place */
    int deliveries; /* in this turn */
    struct steady_timer *timer;
    struct steady_stream *stream;
    struct steady_upgrade *upgrade;
};

extern struct world world;
extern long memory_in_use; /* blocks */

/* ------------------------------------------------------------------------- memory.c */

void *explore_malloc(size_t size);
void *explore_calloc(size_t count, size_t size);
void *explore_realloc(void *memory, size_t size);
char *explore_strdup(const char *text);
char *explore_strndup(const char *text, size_t size);
void explore_free(void *memory);

/* ------------------------------------------------------------------------- loop.c */

void loop_begin(void);
void loop_end(void);

/* One turn, in which `event` happens when the loop polls; NULL: nothing does. */
void loop_turn(void (*event)(void));

/* Waits for the timer, and has a turn. */
void loop_wait(void);

bool loop_has_ready(void);
bool loop_has_timer(void);

/* ------------------------------------------------------------------------- stream.c */

struct steady_stream *stream_new(void);
bool stream_can_come(void);
bool stream_can_end(void);
bool stream_is_blocked(void);

/* What happens to the stream, if it still can. */
void stream_comes(const uint8_t *bytes, size_t size);
void stream_ends(void);
void stream_takes(void);

/* The bytes as they are read, in memory that all streams of a loop share. */
const uint8_t *stream_reads(const uint8_t *bytes, size_t size);

uint64_t stream_number(uint64_t number);

/* ------------------------------------------------------------------------- upgrade.c */

/* first: what comes with the answer. Nothing happens when no attempt is under way. */
void upgrade_accepts(const uint8_t *first, size_t size);
void upgrade_fails(bool busy);
void upgrade_redirects(void);

/* Other attempts take all places, unless the client has one; and one of them ends. */
void upgrade_crowd(void);
void upgrade_make_place(void);

/* Whether the client's attempt waits for that. */
bool upgrade_is_queued(void);

/* ------------------------------------------------------------------------- peer.c */

enum peer_word {
    PEER_MESSAGE,
    PEER_TWO,  /* messages, in one read */
    PEER_HALF, /* of a message, or its other half */
    PEER_PING,
    PEER_PINGS, /* more than may be answered at once */
    PEER_PONG,  /* to the last ping that it has got */
    PEER_CLOSE,
    PEER_LAST, /* a message, a close frame, and what must not follow */
    PEER_BAD,  /* what breaks the protocol */
};

bool peer_can(enum peer_word word);
void peer_says(enum peer_word word);
bool peer_has_half(void);
bool peer_has_ended(void); /* by a close frame, or by a fault */

/* The attempt succeeds; or with two messages that come with the answer. */
void peer_accepts(void);
void peer_accepts_and_says(void);

uint64_t peer_number(uint64_t number);

/* ------------------------------------------------------------------------- owner.c */

enum act {
    ACT_NONE,
    ACT_CONNECT,
    ACT_CONNECT_WITH,
    ACT_SEND,
    ACT_SEND_LARGE,
    ACT_CLOSE,
    ACT_RECONNECT,
    ACT_PAUSE,
    ACT_RESUME,
    ACT_PING,
    ACT_DISCARD,
    ACT_TAKE,
    ACT_BLOCK,
    ACT_HALT,
    ACTS
};

extern const struct steady_client_owner owner_calls;

/* Adds those of a set (of 1u << ACT_…) that mean something now. */
void acts_add(struct menu *menu, unsigned set);
void act_do(enum act act);

/* ------------------------------------------------------------------------- steps.c */

/* Takes one step; false: it was the last one of the run. finishes: runs are to end here, too, in
 * each of the ways in which they may. */
bool step_take(bool finishes);

/* ------------------------------------------------------------------------- state.c */

/* A number for what the client, its stream, its peer and the judge's books are in now. States with
 * the same number have the same future. */
uint64_t state_number(void);

enum novelty {
    STATE_KNOWN,  /* it has been explored with that many events */
    STATE_DEEPER, /* with fewer */
    STATE_NEW,
};

/* Notes that a state is explored with so many events to follow. */
enum novelty state_note(uint64_t number, int events);
unsigned long state_count(void);

/* ------------------------------------------------------------------------- events.c */

uint64_t events_number(uint64_t number);

/* ------------------------------------------------------------------------- judge.c */

/* Tells what is wrong, with the run that led there, and ends the program. */
_Noreturn void judge_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What the judge hears of. */
void judge_begin(void);
void judge_memory_failed(void);
void judge_connect(void);
void judge_close(void);
void judge_cut(void); /* by a call of the user's the connection ends with messages unread */
void judge_event(const struct steady_event *event);
void judge_attempt(void);
void judge_connection(void);
void judge_stream_freed(bool good);
void judge_release(void);
void judge_peer_sent(void);
void judge_peer_is_bad(void);

/* After each step. turned: it was a turn of the loop that ran to its end. */
void judge_step(bool turned);

/* The client has been freed. */
void judge_end(void);

uint64_t judge_number(uint64_t number);

/* ------------------------------------------------------------------------- wire.c */

void wire_begin(void);

/* The client gave this to its stream, which took so many bytes of it; then, the rest. */
void wire_hand_over(const uint8_t *bytes, size_t size, size_t taken);
void wire_take(void);

bool wire_has_close(void);
bool wire_peer_has_close(void);
bool wire_peer_has_ping(void);

/* The payload of the answer to the last ping; of 0 bytes: it was no ping, but a text. */
const uint8_t *wire_answer(size_t *size);

/* There are close frames of both sides. */
void wire_close_crosses(void);

uint64_t wire_number(uint64_t number);

/* ------------------------------------------------------------------------- messages.c */

void messages_begin(void);

/* The number of the next message. It is accepted behind all others, before all others, or behind
 * those of the present greeting; or it was refused after all. */
int messages_next(void);
void messages_accepted(int id);
void messages_accepted_first(int id);
void messages_accepted_in_greeting(int id);
void messages_refused(int id);

void messages_greeting(void);
void messages_connection(void);
void messages_written(int id);

/* The peer has said that it has read the message. */
void messages_proven(int id);

void messages_check(void);

/* Nothing waits any more: what has not gone out was dropped. */
void messages_check_all(void);

uint64_t messages_number(uint64_t number);

static inline uint64_t mix(uint64_t number, uint64_t value)
{
    number = (number ^ value) * 0x9E3779B97F4A7C15u;
    return number ^ number >> 29;
}

#endif
