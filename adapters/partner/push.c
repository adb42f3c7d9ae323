/*
 * Pushing events. See push.h.
 *
 * Happy path: a file of the queue is read, signed, posted; a 2xx answer removes it. Anything else,
 * a time-out and a refused connection among it, leaves it with one attempt more and a time to wait;
 * after the last attempt it goes to dead/. 410 stops everything until the adapter is started again.
 * Redirects are not followed, proxies of the environment not used, answers' bodies not looked at.
 *
 * libcurl's sockets stand in one epoll descriptor, which the frame polls.
 */
#include "partner/push.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "base/secret.h"
#include "common/cloudevents.h"
#include "common/secret_file.h"
#include "partner/push_sign.h"

#define NS_PER_S   INT64_C(1000000000)
#define NS_PER_MS  INT64_C(1000000)
#define SCAN_MS    2000 /* between looks for what the command `dead` put back */
#define EVENTS_MAX 16
#define HEADER_MAX 192

struct transfer {
	struct push *push;
	CURL *easy; /* NULL: free */
	struct curl_slist *headers;
	struct push_item *item;
	char *body;
	size_t got; /* of the answer's body */
};

struct push {
	const struct push_options *options;
	struct push_secret *secret;
	struct push_queue *queue;
	const struct world *world;
	CURLM *multi;
	int epoll;
	int64_t timer_ms; /* when libcurl wants to be called; -1: not by time */
	int64_t scan_ms;
	struct transfer transfers[PUSH_PARALLEL];
	struct push_counts counts;
};

static int64_t mono_ms(const struct push *push)
{
	return push->world->mono_ns(push->world->self) / NS_PER_MS;
}

static int64_t real_s(const struct push *push)
{
	return push->world->real_ns(push->world->self) / NS_PER_S;
}

/* This machine: 127.0.0.0/8, ::1, localhost. */
static bool is_loopback(const char *host)
{
	struct in_addr four;

	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == 127;
	return strcmp(host, "[::1]") == 0 || strcmp(host, "localhost") == 0;
}

static enum ttg_error check_url(const char *text, struct message *message)
{
	CURLU *url = curl_url();
	char *scheme = NULL;
	char *host = NULL;
	char *user = NULL;
	const char *wrong = NULL;

	if (url == NULL || curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		wrong = "is no URL";
	else if (curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_OK)
		wrong = "holds a user; the signature says who sends";
	else if (strcmp(scheme, "https") != 0 && (strcmp(scheme, "http") != 0 || !is_loopback(host)))
		wrong = "must begin with https://; http:// is for this machine only";
	curl_free(scheme);
	curl_free(host);
	curl_free(user);
	curl_url_cleanup(url);
	return wrong == NULL ? TTG_OK : message_set(message, TTG_EFORMAT, "push.url: %s", wrong);
}

/* In memory for keys; *out is NULL after an error. */
static enum ttg_error read_secret(const char *path, struct push_secret **out,
                                  struct message *message)
{
	char *line = NULL;
	enum ttg_error error = secret_file_read_line(path, PUSH_SECRET_MIN, &line, message);

	*out = NULL;
	if (error != TTG_OK)
		return error;
	*out = secret_new(sizeof(**out));
	error = *out == NULL ? message_set(message, TTG_ENOMEM, "no memory")
	                     : push_secret_read(*out, line, message);
	secret_free(line);
	if (error != TTG_OK) {
		secret_free(*out);
		*out = NULL;
	}
	return error;
}

enum ttg_error push_check(const struct push_options *options, struct message *message)
{
	struct push_secret *secret;
	enum ttg_error error = check_url(options->url, message);

	if (error == TTG_OK && options->secret_file[0] == '\0')
		return message_set(message, TTG_EFORMAT, "push.secret_file: is needed with push.url");
	if (error == TTG_OK && options->patience.longest_ms < options->patience.first_ms)
		return message_set(message, TTG_EFORMAT,
		                   "push.retry_max_ms: is less than push.retry_ms");
	if (error == TTG_OK) {
		error = read_secret(options->secret_file, &secret, message);
		secret_free(secret);
	}
	return error;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *known)
{
	struct push *push = user;
	struct epoll_event event = { .data.fd = fd };

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(push->epoll, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		event.events |= EPOLLIN;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		event.events |= EPOLLOUT;
	if (epoll_ctl(push->epoll, known == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) != 0 &&
	    errno == EEXIST)
		epoll_ctl(push->epoll, EPOLL_CTL_MOD, fd, &event);
	curl_multi_assign(push->multi, fd, push);
	return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *user)
{
	struct push *push = user;

	(void)multi;
	push->timer_ms = timeout_ms < 0 ? -1 : mono_ms(push) + timeout_ms;
	return 0;
}

static size_t on_body(const char *bytes, size_t size, size_t n, void *user)
{
	struct transfer *transfer = user;

	(void)bytes;
	transfer->got += size * n;
	return transfer->got > PUSH_ANSWER_MAX ? 0 : size * n;
}

static enum ttg_error open_curl(struct push *push)
{
	push->epoll = epoll_create1(EPOLL_CLOEXEC);
	push->multi = curl_multi_init();
	if (push->epoll < 0 || push->multi == NULL)
		return TTG_ESYS;
	curl_multi_setopt(push->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(push->multi, CURLMOPT_SOCKETDATA, push);
	curl_multi_setopt(push->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(push->multi, CURLMOPT_TIMERDATA, push);
	return TTG_OK;
}

enum ttg_error push_open(struct push **out, const struct push_options *options,
                         struct message *message)
{
	struct push *push = calloc(1, sizeof(*push));
	enum ttg_error error;

	*out = NULL;
	if (push == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	push->options = options;
	push->world = world_real();
	push->epoll = -1;
	push->timer_ms = -1;
	push->scan_ms = mono_ms(push) + SCAN_MS;
	error = push_check(options, message);
	if (error == TTG_OK)
		error = read_secret(options->secret_file, &push->secret, message);
	if (error == TTG_OK)
		error = push_queue_open(&push->queue, push->world, options->state_dir, message);
	if (error == TTG_OK && open_curl(push) != TTG_OK)
		error = message_set(message, TTG_ESYS, "libcurl cannot be started");
	if (error == TTG_OK)
		*out = push;
	else
		push_close(&push);
	return error;
}

static void end_transfer(struct push *push, struct transfer *transfer)
{
	curl_multi_remove_handle(push->multi, transfer->easy);
	curl_easy_cleanup(transfer->easy);
	curl_slist_free_all(transfer->headers);
	free(transfer->body);
	memset(transfer, 0, sizeof(*transfer));
}

void push_close(struct push **push)
{
	if (*push == NULL)
		return;
	for (size_t i = 0; i < PUSH_PARALLEL; i++) {
		if ((*push)->transfers[i].easy != NULL)
			end_transfer(*push, &(*push)->transfers[i]);
	}
	if ((*push)->multi != NULL)
		curl_multi_cleanup((*push)->multi);
	if ((*push)->epoll >= 0)
		close((*push)->epoll);
	push_queue_close(&(*push)->queue);
	secret_free((*push)->secret);
	free(*push);
	*push = NULL;
}

enum ttg_error push_put(struct push *push, const Ttg__Event *event,
                        const struct ttg_delivery *delivery, struct message *message)
{
	const struct cloudevents_delivery extensions = { .mailbox = delivery->mailbox,
		                                         .position = delivery->position,
		                                         .attempt = delivery->attempt,
		                                         .person_key = delivery->person_key,
		                                         .redacted = delivery->redacted };
	struct push_name name = { .order_ns = delivery->accepted_ns < 0 ? 0 : delivery->accepted_ns };
	json_t *object = cloudevents_write(event, &extensions);
	char *text = object == NULL ? NULL : json_dumps(object, JSON_COMPACT);
	enum ttg_error error = message_set(message, TTG_ENOMEM, "no memory");

	ttg_uuid_format(event->id.data, name.id);
	if (text != NULL)
		error = push_queue_put(push->queue, &name, delivery->person_key, text, message);
	free(text);
	json_decref(object);
	return error;
}

/* False without memory or cryptography. */
static bool add_headers(struct push *push, struct transfer *transfer, size_t len)
{
	const char *id = transfer->item->name.id;
	const int64_t now_s = real_s(push);
	char texts[3][HEADER_MAX];
	char signature[PUSH_SIGNATURE_BYTES];
	const char *const lines[] = { "Content-Type: application/cloudevents+json", "Expect:",
		                      texts[0], texts[1], texts[2] };

	if (push_sign(push->secret, id, now_s, transfer->body, len, signature) != TTG_OK)
		return false;
	snprintf(texts[0], HEADER_MAX, "Webhook-Id: %s", id);
	snprintf(texts[1], HEADER_MAX, "Webhook-Timestamp: %" PRId64, now_s);
	snprintf(texts[2], HEADER_MAX, "Webhook-Signature: %s", signature);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct curl_slist *longer = curl_slist_append(transfer->headers, lines[i]);

		if (longer == NULL)
			return false;
		transfer->headers = longer;
	}
	return true;
}

static bool set_options(const struct push *push, struct transfer *transfer, size_t len)
{
	const struct push_options *options = push->options;
	CURL *easy = transfer->easy;
	bool fine = curl_easy_setopt(easy, CURLOPT_URL, options->url) == CURLE_OK;

	fine = fine && curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
	fine = fine && curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK;
	fine = fine && curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
	fine = fine && curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
	fine = fine && curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK;
	fine = fine && curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK;
	fine = fine && curl_easy_setopt(easy, CURLOPT_SSLVERSION,
	                                (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
	if (fine && options->ca_file[0] != '\0')
		fine = curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file) == CURLE_OK &&
		       curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK;
	fine = fine && curl_easy_setopt(easy, CURLOPT_USERAGENT, "ttg-partner/" TTG_VERSION) ==
	                       CURLE_OK;
	fine = fine && curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)options->timeout_ms) ==
	                       CURLE_OK;
	fine = fine && curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers) == CURLE_OK;
	fine = fine && curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len) ==
	                       CURLE_OK;
	fine = fine && curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer->body) == CURLE_OK;
	fine = fine && curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK;
	fine = fine && curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK;
	return fine && curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer) == CURLE_OK;
}

/* One more attempt was made, or could not be: the item waits, or is given up. */
static enum ttg_error note_failure(struct push *push, struct push_item *item, long status,
                                   int64_t asked_s, const char *text, struct message *message)
{
	const struct push_patience *patience = &push->options->patience;
	struct push_name now = item->name;
	uint32_t chance = 0;
	int64_t wait_ms;

	push->counts.failed++;
	if (now.attempts == 0)
		now.first_s = real_s(push);
	now.attempts++;
	now.status = status;
	if (push_gives_up(patience, now.attempts, now.first_s, real_s(push))) {
		log_write(push->options->log, LOG_LEVEL_ERROR, "push_dead",
		          "id=%s attempts=%u status=%ld text=\"%s\"", now.id, now.attempts, status,
		          text);
		return push_queue_bury(push->queue, item, &now, message);
	}
	push->world->random(push->world->self, &chance, sizeof(chance));
	wait_ms = push_delay_ms(patience, now.attempts, asked_s, chance);
	log_write(push->options->log, LOG_LEVEL_WARN, "push_failed",
	          "id=%s attempts=%u status=%ld retry_ms=%" PRId64 " text=\"%s\"", now.id,
	          now.attempts, status, wait_ms, text);
	return push_queue_again(push->queue, item, &now, mono_ms(push) + wait_ms, message);
}

static enum ttg_error begin_transfer(struct push *push, struct transfer *transfer,
                                     struct push_item *item, struct message *message)
{
	size_t len;
	enum ttg_error error;

	memset(transfer, 0, sizeof(*transfer));
	error = push_queue_read(push->queue, item, &transfer->body, &len);
	if (error == TTG_ENOENT) /* discarded by hand, or taken by a second look */
		return push_queue_done(push->queue, item, message);
	item->sending = true;
	transfer->push = push;
	transfer->item = item;
	transfer->easy = curl_easy_init();
	if (error == TTG_OK && transfer->easy != NULL && add_headers(push, transfer, len) &&
	    set_options(push, transfer, len) &&
	    curl_multi_add_handle(push->multi, transfer->easy) == CURLM_OK)
		return TTG_OK;
	curl_easy_cleanup(transfer->easy);
	curl_slist_free_all(transfer->headers);
	free(transfer->body);
	memset(transfer, 0, sizeof(*transfer));
	return note_failure(push, item, 0, 0, "cannot be prepared", message);
}

/* The status, also where the body was longer than we read; 0: no answer. */
static long status_of(CURL *easy, CURLcode result)
{
	long status = 0;

	if (result == CURLE_OK || result == CURLE_WRITE_ERROR)
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static enum ttg_error finish_transfer(struct push *push, CURL *easy, CURLcode result,
                                      struct message *message)
{
	struct transfer *transfer = NULL;
	const long status = status_of(easy, result);
	struct push_item *item;
	curl_off_t asked_s = 0;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
	curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &asked_s);
	item = transfer->item;
	end_transfer(push, transfer);
	switch (push_judge(status)) {
	case PUSH_DONE:
		push->counts.sent++;
		return push_queue_done(push->queue, item, message);
	case PUSH_STOPPED:
		push->counts.stopped = true;
		item->sending = false;
		log_write(push->options->log, LOG_LEVEL_ERROR, "push_stopped",
		          "id=%s status=%ld text=\"the receiver wants no more; start the adapter "
		          "again when it does\"",
		          item->name.id, status);
		return TTG_OK;
	case PUSH_AGAIN:
		break;
	}
	if (asked_s > PUSH_RETRY_AFTER_S)
		asked_s = PUSH_RETRY_AFTER_S;
	return note_failure(push, item, status, status == 0 ? 0 : (int64_t)asked_s,
	                    status == 0 ? curl_easy_strerror(result) : "", message);
}

static enum ttg_error finish_all(struct push *push, struct message *message)
{
	CURLMsg *told;
	int left;
	enum ttg_error error = TTG_OK;

	while (error == TTG_OK && (told = curl_multi_info_read(push->multi, &left)) != NULL) {
		if (told->msg == CURLMSG_DONE)
			error = finish_transfer(push, told->easy_handle, told->data.result, message);
	}
	return error;
}

static enum ttg_error begin_some(struct push *push, struct message *message)
{
	enum ttg_error error = TTG_OK;

	for (size_t i = 0; error == TTG_OK && i < PUSH_PARALLEL; i++) {
		struct push_item *item;
		int64_t ignored;

		if (push->counts.stopped || push->transfers[i].easy != NULL)
			continue;
		item = push_queue_next(push->queue, mono_ms(push), &ignored);
		if (item == NULL)
			break;
		error = begin_transfer(push, &push->transfers[i], item, message);
	}
	return error;
}

static void serve_sockets(struct push *push)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(push->epoll, events, EVENTS_MAX, 0);
	int running;

	for (int i = 0; i < n; i++) {
		int what = ((events[i].events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
		           ((events[i].events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
		           ((events[i].events & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);

		curl_multi_socket_action(push->multi, events[i].data.fd, what, &running);
	}
	if (push->timer_ms >= 0 && mono_ms(push) >= push->timer_ms) {
		push->timer_ms = -1;
		curl_multi_socket_action(push->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
}

enum ttg_error push_run(struct push *push, struct message *message)
{
	enum ttg_error error = TTG_OK;

	serve_sockets(push);
	error = finish_all(push, message);
	if (error == TTG_OK && mono_ms(push) >= push->scan_ms) {
		push->scan_ms = mono_ms(push) + SCAN_MS;
		error = push_queue_scan(push->queue, message);
	}
	return error == TTG_OK ? begin_some(push, message) : error;
}

int push_fd(const struct push *push)
{
	return push->epoll;
}

static int64_t sooner(int64_t a, int64_t b)
{
	if (a < 0)
		return b;
	return b < 0 || a < b ? a : b;
}

int push_wait_ms(const struct push *push)
{
	const int64_t now_ms = mono_ms(push);
	int64_t wait_ms = push->scan_ms - now_ms;
	int64_t until_next = -1;
	bool free_slot = false;

	for (size_t i = 0; i < PUSH_PARALLEL; i++)
		free_slot = free_slot || push->transfers[i].easy == NULL;
	if (push->timer_ms >= 0)
		wait_ms = sooner(wait_ms, push->timer_ms - now_ms);
	if (free_slot && !push->counts.stopped) {
		if (push_queue_next(push->queue, now_ms, &until_next) != NULL)
			until_next = 0;
		wait_ms = sooner(wait_ms, until_next);
	}
	return wait_ms < 0 ? 0 : (int)wait_ms;
}

struct push_counts push_count(const struct push *push)
{
	struct push_counts counts = push->counts;

	counts.waiting = push_queue_waiting(push->queue);
	counts.dead = push_queue_dead(push->queue);
	return counts;
}
