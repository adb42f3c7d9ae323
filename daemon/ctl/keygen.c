/*
 * ttgctl keygen: key pairs of agencies and of the broker, those that agencies sign with, the journal's key,
 * and the master key of the key store. Nothing that is there is ever overwritten: a lost key locks somebody
 * out, a lost journal key loses the journal, a lost master key every payload.
 *
 * A pair is made whole or not at all: the secret file goes again when the public one cannot be made.
 */
#include "ctl/ctl.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>
#include "base/keyfile.h"
#include "base/signature.h"
#include "base/world.h"

#define NAME_MAX_BYTES 64

enum keygen_kind { KEYGEN_AGENCY, KEYGEN_SERVER, KEYGEN_JOURNAL, KEYGEN_MASTER, KEYGEN_SIGNING };

struct keygen {
	enum keygen_kind kind;
	char secret[PATH_MAX], public[PATH_MAX];
};

static enum ctl_exit told(struct ctl *ctl, enum ttg_error error, const struct message *message)
{
	return ctl_say(ctl, error == TTG_EPERM ? CTL_REFUSED : CTL_NO, "%s", message->text);
}

static void print_made(struct ctl *ctl, const struct keygen *keygen, const char *public_z85)
{
	bool pair = public_z85 != NULL;

	/* Paths and keys hold nothing that needs escaping but what keygen_paths() refuses. */
	if (ctl->json && pair)
		fprintf(ctl->out,
			"{\"secret_file\":\"%s\",\"public_file\":\"%s\",\"public\":\"%s\"}\n",
			keygen->secret, keygen->public, public_z85);
	else if (ctl->json)
		fprintf(ctl->out, "{\"secret_file\":\"%s\"}\n", keygen->secret);
	else if (pair)
		fprintf(ctl->out, "%s\n%s\npublic key %s\n", keygen->secret, keygen->public,
			public_z85);
	else
		fprintf(ctl->out, "%s\nKeep a copy where the journal is not: without it the "
				  "journal cannot be read.\n", keygen->secret);
}

static enum ctl_exit make_pair(struct ctl *ctl, const struct keygen *keygen)
{
	struct message message = { "" };
	struct key_pair pair;
	enum ttg_error error;
	enum ctl_exit status = CTL_FINE;

	if (access(keygen->public, F_OK) == 0)
		return ctl_say(ctl, CTL_NO, "%s: is there already and is never overwritten",
			       keygen->public);
	if (zmq_curve_keypair(pair.public_z85, pair.secret_z85) != 0)
		return ctl_say(ctl, CTL_NO, "libzmq cannot make keys: built without CURVE");
	error = keyfile_write_secret(keygen->secret, &pair, &message);
	if (error != TTG_OK) {
		status = told(ctl, error, &message);
		goto out;
	}
	error = keyfile_write_public(keygen->public, pair.public_z85, &message);
	if (error != TTG_OK) {
		unlink(keygen->secret);
		status = told(ctl, error, &message);
		goto out;
	}
	print_made(ctl, keygen, pair.public_z85);
out:
	wipe(&pair, sizeof(pair));
	return status;
}

static enum ctl_exit make_signing(struct ctl *ctl, const struct keygen *keygen)
{
	struct message message = { "" };
	const enum ttg_error error = signature_make(keygen->secret, keygen->public, &message);

	if (error != TTG_OK)
		return told(ctl, error, &message);
	if (ctl->json)
		fprintf(ctl->out, "{\"secret_file\":\"%s\",\"public_file\":\"%s\"}\n", keygen->secret,
			keygen->public);
	else
		fprintf(ctl->out, "%s\n%s\n", keygen->secret, keygen->public);
	return CTL_FINE;
}

static enum ctl_exit make_symmetric(struct ctl *ctl, const struct keygen *keygen)
{
	const struct world *world = world_real();
	struct message message = { "" };
	uint8_t key[KEYFILE_SYMMETRIC];
	enum ttg_error error;
	int result = world->random(world->self, key, sizeof(key));

	if (result < 0)
		return ctl_say(ctl, CTL_NO, "no random bytes: %s", strerror(-result));
	error = keyfile_write_symmetric(keygen->secret, key, &message);
	wipe(key, sizeof(key));
	if (error != TTG_OK)
		return told(ctl, error, &message);
	print_made(ctl, keygen, NULL);
	return CTL_FINE;
}

static bool is_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len > 0 && len <= NAME_MAX_BYTES && name[len] == '\0' && name[0] != '-';
}

/* From a path without its ending. */
static bool keygen_paths(struct keygen *keygen, const char *base)
{
	if (base[0] == '\0' || strpbrk(base, "\"\\\n\r\t") != NULL)
		return false;
	return snprintf(keygen->secret, PATH_MAX, "%s.key", base) < PATH_MAX &&
	       snprintf(keygen->public, PATH_MAX, "%s.pub", base) < PATH_MAX;
}

/* Folder and name, or the one path that was given. */
static enum ctl_exit place(struct ctl *ctl, struct keygen *keygen, const char *folder,
			   const char *name, const char *base)
{
	char path[PATH_MAX];

	if (base != NULL)
		return keygen_paths(keygen, base) ? CTL_FINE
						  : ctl_say(ctl, CTL_USAGE, "%s: not a path", base);
	if (name == NULL)
		name = keygen->kind == KEYGEN_JOURNAL ? "journal"
		       : keygen->kind == KEYGEN_MASTER ? "master"
		       : keygen->kind == KEYGEN_SERVER ? "broker"
						       : NULL;
	if (name == NULL || !is_name(name))
		return ctl_say(ctl, CTL_USAGE,
			       "keygen wants --agency NAME or --signing NAME in a-z, 0-9 and -, "
			       "--server, --journal or --master");
	if (folder != NULL && mkdir(folder, 0755) != 0 && errno != EEXIST)
		return ctl_say(ctl, errno == EACCES ? CTL_REFUSED : CTL_NO, "%s: %s", folder,
			       strerror(errno));
	/* Beside the pair of the same agency's connections. */
	if (snprintf(path, sizeof(path), "%s/%s%s", folder != NULL ? folder : ".", name,
		     keygen->kind == KEYGEN_SIGNING ? "-signing" : "") >= PATH_MAX ||
	    !keygen_paths(keygen, path))
		return ctl_say(ctl, CTL_USAGE, "%s: not a path", folder);
	return CTL_FINE;
}

enum ctl_exit ctl_keygen(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "agency", required_argument, NULL, 'a' }, { "server", no_argument, NULL, 's' },
		{ "journal", no_argument, NULL, 'j' },	    { "master", no_argument, NULL, 'm' },
		{ "signing", required_argument, NULL, 'k' }, { "out", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	struct keygen keygen = { .kind = KEYGEN_AGENCY };
	const char *folder = NULL, *name = NULL, *base = NULL;
	enum ctl_exit status;
	int option, n_kinds = 0;

	while ((option = getopt_long(argc, argv, "a:sjmk:o:", options, NULL)) != -1) {
		if (option == 'a' || option == 'k') {
			keygen.kind = option == 'k' ? KEYGEN_SIGNING : KEYGEN_AGENCY;
			name = optarg;
			n_kinds++;
		} else if (option == 's') {
			keygen.kind = KEYGEN_SERVER;
			n_kinds++;
		} else if (option == 'j') {
			keygen.kind = KEYGEN_JOURNAL;
			n_kinds++;
		} else if (option == 'm') {
			keygen.kind = KEYGEN_MASTER;
			n_kinds++;
		} else if (option == 'o') {
			folder = optarg;
		} else {
			return ctl_say(ctl, CTL_USAGE, "keygen: see ttgctl --help");
		}
	}
	if (optind < argc)
		base = argv[optind];
	if (optind + 1 < argc || n_kinds > 1 || (base != NULL && (name != NULL || folder != NULL)))
		return ctl_say(ctl, CTL_USAGE, "keygen makes one key: see ttgctl --help");
	status = place(ctl, &keygen, folder, name, base);
	if (status != CTL_FINE)
		return status;
	if (keygen.kind == KEYGEN_SIGNING)
		return make_signing(ctl, &keygen);
	return keygen.kind == KEYGEN_JOURNAL || keygen.kind == KEYGEN_MASTER ?
		       make_symmetric(ctl, &keygen) :
		       make_pair(ctl, &keygen);
}
