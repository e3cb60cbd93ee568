/*
 * czmq-peer - gossip and beacons as libczmq speaks them, for our node to meet in tests.
 *
 *   czmq-peer hub ENDPOINT [KEY VALUE]...      zgossip, bound to ENDPOINT
 *   czmq-peer client ENDPOINT [KEY VALUE]...   zgossip, connected to the hub at ENDPOINT
 *   czmq-peer beacon PORT HEX [INTERVAL_MS]    zbeacon: broadcasts the bytes, each second unless told otherwise,
 *                                              and hears beacons that start with "ZRE"
 *
 * Once started it prints `bound ENDPOINT` (with the port that was taken), `connected ENDPOINT` (the connection is
 * under way) or `listening ADDRESS`; then `tuple KEY VALUE` for each tuple that is new to it, its own included, or
 * `beacon SOURCE-ADDRESS HEX` for each beacon that differs from its own.
 *
 * Stdin takes the lines `publish KEY VALUE` (a beacon: `publish HEX`, in place of the bytes before) and `quit`.
 * Ends with 0 on `quit` or at the end of stdin, with 1 on a fault, with 2 on a wrong command line.
 *
 * A client holds its KEY VALUE arguments before it connects, so the hub gets them right behind the HELLO. What a
 * client publishes later reaches a hub of libczmq only within a second of the last thing it sent: the hub forgets
 * silent clients, and libczmq's client never pings.
 */
#include <czmq.h>

/* A key's length is one byte on the wire; a value of more than about 1020 bytes crashes libczmq 4.2.1. */
#define KEY_BYTES_MAX 255
#define VALUE_BYTES_MAX 1000
/* UDP_FRAME_MAX of zsys.h. */
#define BEACON_BYTES_MAX 255

/* What `publish` means, and what the actor delivers: each gives 0, or -1 after a sentence on stderr. */
typedef int (publish_fn) (zactor_t *actor, char *arguments);
typedef int (deliver_fn) (zmsg_t *message);

static int beacon_interval_ms = 1000;

static int
fault (const char *sentence)
{
    fprintf (stderr, "czmq-peer: %s\n", sentence);
    return -1;
}

static int
gossip_hold (zactor_t *gossip, const char *key, const char *value)
{
    if (strlen (key) > KEY_BYTES_MAX || strlen (value) > VALUE_BYTES_MAX)
        return fault ("a key has at most 255 bytes, a value at most 1000");
    return zstr_sendx (gossip, "PUBLISH", key, value, NULL);
}

static int
gossip_publish (zactor_t *gossip, char *arguments)
{
    char *space = strchr (arguments, ' ');
    if (!space)
        return fault ("write `publish KEY VALUE`");
    *space = 0;
    return gossip_hold (gossip, arguments, space + 1);
}

static int
gossip_deliver (zmsg_t *message)
{
    char *command = zmsg_popstr (message);
    char *key = zmsg_popstr (message);
    char *value = zmsg_popstr (message);
    int rc = 0;
    if (command && streq (command, "DELIVER") && key && value)
        printf ("tuple %s %s\n", key, value);
    else
        rc = fault ("zgossip said something else than DELIVER");
    zstr_free (&command);
    zstr_free (&key);
    zstr_free (&value);
    return rc;
}

static int
beacon_publish (zactor_t *beacon, char *hex)
{
    size_t digits = strlen (hex);
    if (digits == 0 || digits % 2 || digits / 2 > BEACON_BYTES_MAX || hex [strspn (hex, "0123456789abcdefABCDEF")])
        return fault ("a beacon is 1 to 255 bytes, two hex digits each");
    byte bytes [BEACON_BYTES_MAX];
    for (size_t at = 0; at < digits / 2; at++)
        sscanf (hex + 2 * at, "%2hhx", &bytes [at]);
    return zsock_send (beacon, "sbi", "PUBLISH", bytes, digits / 2, beacon_interval_ms);
}

static int
beacon_deliver (zmsg_t *message)
{
    char *source = zmsg_popstr (message);
    zframe_t *frame = zmsg_pop (message);
    int rc = 0;
    if (source && frame) {
        char *hex = zframe_strhex (frame);
        printf ("beacon %s %s\n", source, hex);
        zstr_free (&hex);
    }
    else
        rc = fault ("zbeacon said something else than an address and a beacon");
    zstr_free (&source);
    zframe_destroy (&frame);
    return rc;
}

/* Obeys one line of stdin. Gives 1 when it was the last. */
static int
obey (zactor_t *actor, publish_fn *publish)
{
    char *line = NULL;
    size_t room = 0;
    int rc = 1;
    if (getline (&line, &room, stdin) >= 0) {
        line [strcspn (line, "\n")] = 0;
        if (strncmp (line, "publish ", 8) == 0)
            rc = publish (actor, line + 8);
        else
        if (strneq (line, "quit"))
            rc = fault ("stdin takes `publish ...` and `quit`");
    }
    free (line);
    return rc;
}

/* Serves stdin and the actor until either ends. Gives 0, or -1 after a fault. */
static int
serve (zactor_t *actor, publish_fn *publish, deliver_fn *deliver)
{
    SOCKET input = STDIN_FILENO;
    zpoller_t *poller = zpoller_new (actor, &input, NULL);
    int rc = 0;
    while (rc == 0) {
        void *ready = zpoller_wait (poller, -1);
        if (ready == actor) {
            zmsg_t *message = zmsg_recv (actor);
            if (!message || zmsg_signal (message) >= 0) {
                /* The signal of an actor that ended by itself, as zgossip does after one malformed frame.
                   libczmq may wait for ever when such an actor is destroyed, so nothing is. */
                fault ("the actor ended by itself");
                _exit (1);
            }
            rc = deliver (message);
            zmsg_destroy (&message);
        }
        else
        if (zpoller_terminated (poller))
            rc = fault ("polling failed");
        else
            /* Readable, or nothing at all: so does zpoller report a pipe whose other end was closed. */
            rc = obey (actor, publish);
    }
    zpoller_destroy (&poller);
    return rc < 0 ? -1 : 0;
}

static int
hold_all (zactor_t *gossip, char **pairs)
{
    int rc = 0;
    for (; rc == 0 && pairs [0]; pairs += 2)
        rc = gossip_hold (gossip, pairs [0], pairs [1]);
    return rc;
}

static int
run_hub (zactor_t *gossip, const char *endpoint, char **pairs)
{
    char *command, *port;
    zstr_sendx (gossip, "BIND", endpoint, NULL);
    zstr_send (gossip, "PORT");
    zstr_recvx (gossip, &command, &port, NULL);
    int rc = port && strneq (port, "-1") ? 0 : fault ("cannot bind; is the endpoint well written and free?");
    if (rc == 0) {
        /* Only tcp has a port; what follows the last colon may be `*`. */
        int kept = strncmp (endpoint, "tcp://", 6) == 0 ? (int) (strrchr (endpoint, ':') - endpoint) : -1;
        if (kept < 0)
            printf ("bound %s\n", endpoint);
        else
            printf ("bound %.*s:%s\n", kept, endpoint, port);
        rc = hold_all (gossip, pairs);
    }
    zstr_free (&command);
    zstr_free (&port);
    return rc ? rc : serve (gossip, gossip_publish, gossip_deliver);
}

static int
run_client (zactor_t *gossip, const char *endpoint, char **pairs)
{
    if (hold_all (gossip, pairs))
        return -1;
    zstr_sendx (gossip, "CONNECT", endpoint, NULL);
    printf ("connected %s\n", endpoint);
    return serve (gossip, gossip_publish, gossip_deliver);
}

static int
run_beacon (zactor_t *beacon, int port, char *hex)
{
    zsock_send (beacon, "si", "CONFIGURE", port);
    char *address = zstr_recv (beacon);
    int rc = address && *address ? 0 : fault ("no interface here broadcasts, or the port is taken");
    if (rc == 0) {
        printf ("listening %s\n", address);
        zsock_send (beacon, "sb", "SUBSCRIBE", "ZRE", 3);
        rc = beacon_publish (beacon, hex);
    }
    zstr_free (&address);
    return rc ? rc : serve (beacon, beacon_publish, beacon_deliver);
}

int
main (int argc, char **argv)
{
    const char *verb = argc > 1 ? argv [1] : "";
    bool hub = streq (verb, "hub"), client = streq (verb, "client"), beacon = streq (verb, "beacon");
    bool gossip_line = (hub || client) && argc >= 3 && argc % 2 == 1;
    bool beacon_line = beacon && (argc == 4 || argc == 5) && atoi (argv [2]) > 0;
    if (!gossip_line && !beacon_line) {
        fputs ("usage: czmq-peer hub|client ENDPOINT [KEY VALUE]...\n"
               "       czmq-peer beacon PORT HEX [INTERVAL_MS]\n", stderr);
        return 2;
    }

    /* Unbuffered input leaves the lines not yet read where the poller sees them. */
    setvbuf (stdin, NULL, _IONBF, 0);
    setvbuf (stdout, NULL, _IOLBF, 0);
    /* SIGTERM ends the program at once, as tests expect, instead of interrupting libczmq's sockets. */
    zsys_handler_set (NULL);

    if (argc == 5 && beacon)
        beacon_interval_ms = atoi (argv [4]);
    zactor_t *actor = beacon ? zactor_new (zbeacon, NULL) : zactor_new (zgossip, "czmq-peer");
    if (!actor) {
        fault ("the actor did not start");
        return 1;
    }
    int rc = hub      ? run_hub (actor, argv [2], argv + 3)
             : client ? run_client (actor, argv [2], argv + 3)
                      : run_beacon (actor, atoi (argv [2]), argv [3]);
    zactor_destroy (&actor);
    return rc ? 1 : 0;
}
