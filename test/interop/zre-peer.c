/*
 * zre-peer - a ZRE node (RFC 36) over libczmq's sockets alone, for our node to meet in tests. It shares no line with mesh/.
 *
 *   zre-peer UUID NAME ENDPOINT GROUP [KEY VALUE]...
 *
 * Greets the mailbox at ENDPOINT as the node UUID (32 hex digits) called NAME, which is in GROUP and has these headers.
 * Prints `bound ENDPOINT`, its own mailbox, and then what the other side says: `name NAME`, `header KEY VALUE` and
 * `group GROUP` of its HELLO, `join GROUP`, `leave GROUP`, `whisper TEXT`, `shout GROUP TEXT`, `goodbye`, and
 * `ready` when a HELLO has come. It answers PING.
 *
 * Stdin takes `join GROUP`, `leave GROUP`, `whisper TEXT`, `shout GROUP TEXT` and `quit`. Ends with 0 on `quit` or at the
 * end of stdin, with 1 on a fault (also a sequence or a group status that does not fit), with 2 on a wrong command line.
 */
#include <czmq.h>

#define HELLO 1
#define WHISPER 2
#define SHOUT 3
#define JOIN 4
#define LEAVE 5
#define PING 6
#define PING_OK 7
#define GOODBYE 10
#define UUID_BYTES 16
#define STRING_BYTES_MAX 255
#define MESSAGE_BYTES_MAX 65536

static int
fault (const char *sentence)
{
    fprintf (stderr, "zre-peer: %s\n", sentence);
    return -1;
}

/* A control frame that is written or read; `at` is where. */
typedef struct { byte bytes [MESSAGE_BYTES_MAX]; size_t length, at; } frame_t;

static void
put_number (frame_t *frame, uint32_t value, int bytes)
{
    while (bytes--)
        frame->bytes [frame->at++] = (byte) (value >> 8 * bytes);
    frame->length = frame->at;
}

static void
put_text (frame_t *frame, const char *text, int length_bytes)
{
    put_number (frame, strlen (text), length_bytes);
    memcpy (frame->bytes + frame->at, text, strlen (text));
    frame->length = frame->at += strlen (text);
}

/* Running out of bytes is a fault of the node under test: it shows as numbers and texts that no test expects. */
static uint32_t
get_number (frame_t *frame, int bytes)
{
    uint32_t value = 0;
    while (bytes-- && frame->at < frame->length)
        value = value << 8 | frame->bytes [frame->at++];
    return value;
}

/* Valid until the next but three. */
static const char *
get_text (frame_t *frame, int length_bytes)
{
    static char texts [4][MESSAGE_BYTES_MAX];
    static int turn;
    char *text = texts [turn++ % 4];
    size_t length = get_number (frame, length_bytes);
    if (length > frame->length - frame->at)
        length = frame->length - frame->at;
    memcpy (text, frame->bytes + frame->at, length);
    text [length] = 0;
    frame->at += length;
    return text;
}

/* Our side: the socket that we send through, the number of the last message, and the status of our groups. */
static zsock_t *mailbox;
static uint16_t sent;
static byte own_status;
/* The other side's, as its messages let us count them. */
static uint16_t received;
static byte peer_status;
static bool greeted;

static void
begin (frame_t *frame, int kind)
{
    frame->at = 0;
    put_number (frame, 0xaaa1, 2);
    put_number (frame, kind, 1);
    put_number (frame, 2, 1);
    put_number (frame, ++sent, 2);
}

static int
post (frame_t *frame, const char *content)
{
    zmsg_t *message = zmsg_new ();
    zmsg_addmem (message, frame->bytes, frame->length);
    if (content)
        zmsg_addstr (message, content);
    return zmsg_send (&message, mailbox);
}

static int
say (int kind, const char *group, bool with_status, const char *content)
{
    static frame_t frame;
    begin (&frame, kind);
    if (group)
        put_text (&frame, group, 1);
    if (with_status)
        put_number (&frame, ++own_status, 1);
    return post (&frame, content);
}

static int
say_hello (const char *endpoint, const char *name, const char *group, char **headers, int header_count)
{
    static frame_t frame;
    begin (&frame, HELLO);
    put_text (&frame, endpoint, 1);
    put_number (&frame, 1, 4);
    put_text (&frame, group, 4);
    put_number (&frame, own_status = 1, 1);
    put_text (&frame, name, 1);
    put_number (&frame, header_count, 4);
    for (int each = 0; each < header_count; each++) {
        put_text (&frame, headers [2 * each], 1);
        put_text (&frame, headers [2 * each + 1], 4);
    }
    return post (&frame, NULL);
}

static void
hear_hello (frame_t *frame)
{
    get_text (frame, 1);
    for (uint32_t left = get_number (frame, 4); left; left--)
        printf ("group %s\n", get_text (frame, 4));
    peer_status = get_number (frame, 1);
    printf ("name %s\n", get_text (frame, 1));
    for (uint32_t left = get_number (frame, 4); left; left--) {
        const char *key = get_text (frame, 1);
        printf ("header %s %s\n", key, get_text (frame, 4));
    }
    greeted = true;
    puts ("ready");
}

static int
hear_group (frame_t *frame, const char *verb)
{
    printf ("%s %s\n", verb, get_text (frame, 1));
    /* libzyre would abort here. */
    return get_number (frame, 1) == ++peer_status ? 0 : fault ("the group status does not fit");
}

static int
hear (zmsg_t *message)
{
    static frame_t frame;
    zframe_t *identity = zmsg_pop (message), *control = zmsg_pop (message);
    char *content = zmsg_popstr (message);
    int rc = 0;
    if (!identity || !control || zframe_size (identity) != 1 + UUID_BYTES || zframe_data (identity) [0] != 1)
        rc = fault ("a message without an identity of 17 bytes that begins with 1");
    else {
        frame.length = zframe_size (control) < MESSAGE_BYTES_MAX ? zframe_size (control) : MESSAGE_BYTES_MAX;
        memcpy (frame.bytes, zframe_data (control), frame.length);
        frame.at = 0;
        uint32_t signature = get_number (&frame, 2), kind = get_number (&frame, 1), version = get_number (&frame, 1);
        uint16_t sequence = get_number (&frame, 2);
        if (signature != 0xaaa1 || version != 2)
            rc = fault ("a message that is not ZRE version 2");
        else
        if (sequence != (kind == HELLO ? 1 : (uint16_t) (received + 1)) || (kind != HELLO && !greeted))
            rc = fault ("a message out of sequence");
        else {
            received = sequence;
            if (kind == HELLO)
                hear_hello (&frame);
            else
            if (kind == WHISPER)
                printf ("whisper %s\n", content ? content : "");
            else
            if (kind == SHOUT)
                printf ("shout %s %s\n", get_text (&frame, 1), content ? content : "");
            else
            if (kind == JOIN || kind == LEAVE)
                rc = hear_group (&frame, kind == JOIN ? "join" : "leave");
            else
            if (kind == PING)
                rc = say (PING_OK, NULL, false, NULL);
            else
            if (kind == GOODBYE)
                puts ("goodbye");
        }
    }
    zframe_destroy (&identity);
    zframe_destroy (&control);
    zstr_free (&content);
    return rc;
}

/* Obeys one line of stdin. Gives 1 when it was the last. */
static int
obey (void)
{
    char *line = NULL;
    size_t room = 0;
    int rc = 1;
    if (getline (&line, &room, stdin) >= 0) {
        line [strcspn (line, "\n")] = 0;
        char *group = line + 6, *space = strchr (group, ' ');
        if (strncmp (line, "join ", 5) == 0)
            rc = say (JOIN, line + 5, true, NULL);
        else
        if (strncmp (line, "leave ", 6) == 0)
            rc = say (LEAVE, line + 6, true, NULL);
        else
        if (strncmp (line, "whisper ", 8) == 0)
            rc = say (WHISPER, NULL, false, line + 8);
        else
        if (strncmp (line, "shout ", 6) == 0 && space) {
            *space = 0;
            rc = say (SHOUT, group, false, space + 1);
        }
        else
        if (strneq (line, "quit"))
            rc = fault ("stdin takes `join`, `leave`, `whisper`, `shout` and `quit`");
    }
    free (line);
    return rc;
}

int
main (int argc, char **argv)
{
    byte identity [1 + UUID_BYTES] = { 1 };
    bool well = argc >= 5 && argc % 2 == 1 && strlen (argv [1]) == 2 * UUID_BYTES;
    for (int arg = 2; well && arg < argc; arg++)
        well = strlen (argv [arg]) <= STRING_BYTES_MAX;
    for (int at = 0; well && at < UUID_BYTES; at++)
        well = sscanf (argv [1] + 2 * at, "%2hhx", &identity [1 + at]) == 1;
    if (!well) {
        fputs ("usage: zre-peer UUID NAME ENDPOINT GROUP [KEY VALUE]...\n", stderr);
        return 2;
    }
    /* Unbuffered input leaves the lines not yet read where the poller sees them. */
    setvbuf (stdin, NULL, _IONBF, 0);
    setvbuf (stdout, NULL, _IOLBF, 0);
    /* SIGTERM ends the program at once, as tests expect, instead of interrupting libczmq's sockets. */
    zsys_handler_set (NULL);

    zsock_t *inbox = zsock_new (ZMQ_ROUTER);
    zsock_set_router_handover (inbox, 1);
    mailbox = zsock_new (ZMQ_DEALER);
    /* czmq's own setter takes a text, and a UUID may contain a zero. */
    zmq_setsockopt (zsock_resolve (mailbox), ZMQ_IDENTITY, identity, sizeof identity);
    int rc = zsock_bind (inbox, "tcp://127.0.0.1:*") < 0 || zsock_connect (mailbox, "%s", argv [3]) < 0
        ? fault ("cannot bind, or the endpoint is not well written") : 0;
    if (rc == 0) {
        printf ("bound %s\n", zsock_endpoint (inbox));
        rc = say_hello (zsock_endpoint (inbox), argv [2], argv [4], argv + 5, (argc - 5) / 2);
    }
    SOCKET input = STDIN_FILENO;
    zpoller_t *poller = zpoller_new (inbox, &input, NULL);
    while (rc == 0) {
        void *ready = zpoller_wait (poller, -1);
        if (ready == inbox) {
            zmsg_t *message = zmsg_recv (inbox);
            rc = message ? hear (message) : fault ("interrupted");
            zmsg_destroy (&message);
        }
        else
        if (zpoller_terminated (poller))
            rc = fault ("polling failed");
        else
            rc = obey ();
    }
    /* Who quits says so; who found a fault is just gone. */
    if (rc > 0)
        say (GOODBYE, NULL, false, NULL);
    zsock_set_linger (mailbox, 200);
    zpoller_destroy (&poller);
    zsock_destroy (&inbox);
    zsock_destroy (&mailbox);
    return rc < 0 ? 1 : 0;
}
