/*
 * The desk's loop. See desk_run.h.
 *
 * Happy path: the store is opened and read whole, the web end opens, and from then on the loop
 * waits for browsers and signals and looks every 200 ms whether the store has news.
 *
 * What fails: a store that cannot be opened or read is closed and tried again every few seconds;
 * meanwhile the pages stay, show what was known, and say so (desk.away_ns). At the start there is
 * nothing to show yet, so the web end waits for the first reading. A web end that cannot be opened,
 * no memory, and a store that is another one than before end the desk with status 1; its unit starts
 * it again. SIGTERM and SIGINT end it at once: nothing is kept here that the store has not.
 */
#include "desk/desk_run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>
#include "base/world.h"
#include "desk/desk_config.h"
#include "desk/pages.h"

#define NS_PER_MS    INT64_C(1000000)
#define FOLLOW_NS    (200 * NS_PER_MS)
#define AGAIN_NS     (2000 * NS_PER_MS) /* between tries to open the store */
#define EXTEND_START "EXTEND_TIMEOUT_USEC=60000000"

struct running {
	struct desk desk; /* first: on_progress() finds the rest */
	struct web_site site;
	int signals;
	bool stopping;
	int64_t next_ns; /* monotonic: when to look at the store again */
};

static int64_t mono_ns(void)
{
	return world_real()->mono_ns(world_real()->self);
}

static int64_t real_ns(void)
{
	return world_real()->real_ns(world_real()->self);
}

/* SIGIO comes from a lease of the web end's files and must never kill. */
static enum ttg_error open_signals(struct running *running, struct message *message)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP); /* there is nothing to reload */
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return message_set(message, TTG_ESYS, "cannot block signals");
	running->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return running->signals >= 0
	               ? TTG_OK
	               : message_set(message, TTG_ESYS, "signalfd: %s", strerror(errno));
}

static void read_signals(struct running *running)
{
	struct signalfd_siginfo info;

	while (read(running->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			continue;
		running->stopping = true;
		log_write(running->desk.log, LOG_LEVEL_INFO, "stopping", "signal=%u",
		          info.ssi_signo);
	}
}

/* While a large store is read: systemd waits, and a signal to stop is heard. */
static bool on_progress(struct desk *desk)
{
	struct running *running = (struct running *)desk;

	sd_notify(0, EXTEND_START);
	read_signals(running);
	return !running->stopping;
}

/* Errors that trying again does not mend. */
static bool is_final(enum ttg_error error)
{
	return error == TTG_ENOMEM || error == TTG_ELIMIT;
}

static void note_away(struct desk *desk, enum ttg_error error, const struct message *message)
{
	if (desk->away_ns != 0)
		return;
	desk->away_ns = real_ns();
	log_write(desk->log, LOG_LEVEL_WARN, "store_away", "code=%d name=%s text=\"%s\"",
	          (int)error, ttg_error_name(error), message->text);
}

static void note_back(struct desk *desk)
{
	if (desk->away_ns != 0)
		log_write(desk->log, LOG_LEVEL_NOTICE, "store_back", "away_ms=%lld",
		          (long long)((real_ns() - desk->away_ns) / NS_PER_MS));
	desk->away_ns = 0;
}

/* A store that failed stays failed: another one takes its place, once it can be opened. */
static enum ttg_error open_store(struct desk *desk, struct message *message)
{
	const struct store_place place = desk_store_place(&desk->settings);
	struct store *store = NULL;
	enum ttg_error error = store_open_desk(&store, &place, message);

	if (error != TTG_OK)
		return error;
	store_close(&desk->store);
	desk->store = store;
	return TTG_OK;
}

/* Looks at the store when it is time to. Returns what ends the desk. */
static enum ttg_error look(struct running *running, bool *news, struct message *message)
{
	struct desk *desk = &running->desk;
	enum ttg_error error = TTG_OK;
	const bool is_open = desk->store != NULL && desk->away_ns == 0;

	*news = false;
	if (mono_ns() < running->next_ns)
		return TTG_OK;
	if (!is_open)
		error = open_store(desk, message);
	if (error == TTG_OK) {
		error = desk_follow(desk, news, message);
		if (error == TTG_EVERSION)
			return error;
	}
	running->next_ns = mono_ns() + (error == TTG_OK ? FOLLOW_NS : AGAIN_NS);
	if (is_final(error))
		return error;
	if (error != TTG_OK)
		note_away(desk, error, message);
	else
		note_back(desk);
	return TTG_OK;
}

static int wait_ms(const struct running *running)
{
	int64_t left_ms = (running->next_ns - mono_ns()) / NS_PER_MS + 1;
	int web_ms = running->desk.web == NULL ? -1 : web_wait_ms(running->desk.web);
	int ms = left_ms < 0 ? 0 : left_ms > 2000 ? 2000 : (int)left_ms;

	return web_ms >= 0 && web_ms < ms ? web_ms : ms;
}

static enum ttg_error wait_and_serve(struct running *running, struct message *message)
{
	struct web *web = running->desk.web;
	struct pollfd fds[2] = { { .fd = running->signals, .events = POLLIN },
		                 { .fd = web == NULL ? -1 : web_fd(web), .events = POLLIN } };

	if (poll(fds, 2, wait_ms(running)) < 0 && errno != EINTR)
		return message_set(message, TTG_ESYS, "poll: %s", strerror(errno));
	read_signals(running);
	if (web != NULL)
		web_run(web);
	return TTG_OK;
}

static enum ttg_error open_web(struct running *running, struct message *message)
{
	struct desk *desk = &running->desk;
	const struct web_options options = desk_web_options(&desk->settings, desk->log);
	enum ttg_error error;

	running->site = desk_site;
	running->site.user = desk;
	error = web_open(&desk->web, &options, &running->site, message);
	if (error != TTG_OK)
		return error;
	log_write(desk->log, LOG_LEVEL_NOTICE, "ready", "port=%u events=%zu persons=%zu left_out=%zu",
	          web_port(desk->web), views_n_events(desk->views), views_n_persons(desk->views),
	          views_unreadable(desk->views));
	sd_notify(0, "READY=1");
	return TTG_OK;
}

static enum ttg_error loop(struct running *running, struct message *message)
{
	struct desk *desk = &running->desk;
	enum ttg_error error = TTG_OK;
	bool news;

	while (error == TTG_OK && !running->stopping) {
		error = look(running, &news, message);
		if (error != TTG_OK || running->stopping)
			break;
		if (desk->web != NULL && news)
			web_wake(desk->web);
		else if (desk->web == NULL && desk->store != NULL && desk->away_ns == 0)
			error = open_web(running, message);
		if (desk->web == NULL)
			sd_notify(0, EXTEND_START);
		if (error == TTG_OK)
			error = wait_and_serve(running, message);
	}
	sd_notify(0, "STOPPING=1");
	return error;
}

static enum ttg_error prepare(struct running *running, struct message *message)
{
	struct desk *desk = &running->desk;

	desk->views = views_new();
	desk->alerts = alerts_new();
	desk->figures = figures_cache_new(&desk->settings);
	desk->disclosures = disclosures_new(desk->settings.disclosures_file);
	if (desk->views == NULL || desk->alerts == NULL || desk->figures == NULL ||
	    desk->disclosures == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	return open_signals(running, message);
}

static void close_all(struct running *running)
{
	struct desk *desk = &running->desk;

	web_close(&desk->web);
	figures_cache_free(&desk->figures);
	disclosures_free(&desk->disclosures);
	alerts_free(&desk->alerts);
	views_free(&desk->views);
	store_close(&desk->store);
	if (running->signals >= 0)
		close(running->signals);
}

int desk_run(const struct desk_settings *settings, struct log *log)
{
	struct running running = {
		.desk = { .settings = *settings, .log = log, .on_progress = on_progress },
		.signals = -1,
	};
	struct message message = { "" };
	enum ttg_error error = prepare(&running, &message);

	if (error == TTG_OK)
		error = loop(&running, &message);
	if (error != TTG_OK)
		log_write(log, LOG_LEVEL_ERROR, "failed", "code=%d name=%s text=\"%s\"", (int)error,
		          ttg_error_name(error), message.text);
	close_all(&running);
	return error == TTG_OK ? 0 : 1;
}
