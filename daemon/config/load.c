/*
 * Loading: ttgd.conf, then agencies.d, then agreements.d, then what depends on several of them.
 *
 * Owner: whoever calls config_load(); the result is immutable. On failure every fault that could be
 * found is in errors, and nothing is left behind. A load reads files only, so it may be tried at any
 * time beside a running configuration.
 */
#include "config/config.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "config/address.h"
#include "config/build.h"
#include "config/nearest.h"

#define MAX_FILES 4096 /* in one folder */

struct loading {
	struct config *config;
	struct config_errors *errors;
	char root[CONFIG_PATH_MAX];
	unsigned int lines[OPTIONS_MAIN_GROUPS][OPTIONS_MAX];
	char **files; /* names of all files but ttgd.conf; places point to them */
	size_t n_files;
};

/* Where an option stands, or the file when its default was taken. */
static struct place place_of(const struct loading *loading, const char *group, const char *name)
{
	struct place place = { loading->config->path, 0 };

	for (size_t g = 0; g < OPTIONS_MAIN_GROUPS; g++) {
		const struct option_group *table = &options_main[g];

		for (size_t i = 0; strcmp(table->name, group) == 0 && i < table->n_options; i++)
			if (strcmp(table->options[i].name, name) == 0)
				place.line = loading->lines[g][i];
	}
	return place;
}

static void check_listen(const struct loading *loading)
{
	const struct config *config = loading->config;

	if (!address_is_endpoint(config->endpoint))
		errors_add(loading->errors, place_of(loading, "listen", "endpoint"),
			   "listen.endpoint is not an endpoint, must read tcp://ADDRESS:PORT");
	if (!address_is_loopback(config->http_address))
		errors_add(loading->errors, place_of(loading, "listen", "http_address"),
			   "listen.http_address is no loopback address, must be 127.0.0.1 or ::1");
	if (config->http_port > 0 && config->http_port < 1024)
		errors_warn(loading->errors, place_of(loading, "listen", "http_port"),
			    "listen.http_port is %u, ports below 1024 need a privilege",
			    config->http_port);
}

static void check_keys(const struct loading *loading)
{
	const struct config *config = loading->config;

	if (config->keys_directory[0] != '\0' && config->keys_master_file[0] == '\0')
		errors_add(loading->errors, place_of(loading, "keys", "directory"),
			   "keys.directory is given without master_file, from ttgctl keygen --master");
}

static void check_seals(const struct loading *loading)
{
	const struct config *config = loading->config;

	if (config->seal_public_file[0] != '\0' && config->signer_socket[0] == '\0')
		errors_warn(loading->errors, place_of(loading, "seals", "public_file"),
			    "seals.public_file is given without signer_socket: no seals are made");
	if (config->signer_socket[0] != '\0' && config->seal_public_file[0] == '\0')
		errors_warn(loading->errors, place_of(loading, "seals", "signer_socket"),
			    "seals.signer_socket is given without public_file: any signer is taken");
}

static void check_archive(const struct loading *loading)
{
	const struct config *config = loading->config;

	if (config->archive_directory[0] != '\0' &&
	    strcmp(config->archive_directory, config->journal_directory) == 0)
		errors_add(loading->errors, place_of(loading, "archive", "directory"),
			   "archive.directory is the journal's, must be a folder of its own");
}

static void check_sizes(const struct loading *loading)
{
	const struct config *config = loading->config;

	if (config->max_event_bytes > config->max_frame_bytes - 2048)
		errors_add(loading->errors, place_of(loading, "limits", "max_event_bytes"),
			   "limits.max_event_bytes is %u, must be at most max_frame_bytes less 2048, "
			   "%u",
			   config->max_event_bytes, config->max_frame_bytes - 2048);
	if (config->max_credit > config->mailbox_window)
		errors_add(loading->errors, place_of(loading, "limits", "max_credit"),
			   "limits.max_credit is %u, must be at most mailbox_window, %u",
			   config->max_credit, config->mailbox_window);
	if (config->journal_max_bytes > 0 && config->journal_max_bytes < 2 * config->segment_bytes)
		errors_add(loading->errors, place_of(loading, "journal", "max_bytes"),
			   "journal.max_bytes is %llu, must be 0 or at least two segments, %llu",
			   (unsigned long long)config->journal_max_bytes,
			   (unsigned long long)(2 * config->segment_bytes));
	if (config->journal_max_bytes > 0 && config->retain_bytes > config->journal_max_bytes)
		errors_add(loading->errors, place_of(loading, "journal", "retain_bytes"),
			   "journal.retain_bytes is %llu, must be at most max_bytes, %llu",
			   (unsigned long long)config->retain_bytes,
			   (unsigned long long)config->journal_max_bytes);
}

static void refuse_unknown_group(const struct source *source, const config_setting_t *setting)
{
	const char *name = config_setting_name(setting);
	struct nearest nearest;

	nearest_init(&nearest, name);
	for (size_t i = 0; i < OPTIONS_MAIN_GROUPS; i++)
		nearest_try(&nearest, options_main[i].name);
	if (nearest.best != NULL)
		errors_add(source->errors, source_place(source, setting),
			   "%.64s is not known, did you mean %s?", name, nearest.best);
	else
		errors_add(source->errors, source_place(source, setting),
			   "%.64s is not known, must be one of broker, listen, limits, journal, "
			   "archive, identity, keys, seals, log",
			   name);
}

static bool load_main(struct loading *loading)
{
	struct source source;
	const config_setting_t *root;
	bool fine = true;

	if (!source_open(&source, loading->config->path, loading->root, loading->errors))
		return false;
	root = config_root_setting(&source.tree);
	for (int i = 0; i < config_setting_length(root); i++) {
		const config_setting_t *setting = config_setting_get_elem(root, (unsigned int)i);
		bool known = false;

		for (size_t g = 0; g < OPTIONS_MAIN_GROUPS && !known; g++)
			known = strcmp(options_main[g].name, config_setting_name(setting)) == 0;
		if (!known)
			refuse_unknown_group(&source, setting);
	}
	for (size_t g = 0; g < OPTIONS_MAIN_GROUPS; g++) {
		const config_setting_t *group =
			config_setting_get_member(root, options_main[g].name);
		struct place home = { source.path, 0 };

		if (group != NULL)
			home = source_place(&source, group);
		if (group != NULL && !config_setting_is_group(group)) {
			errors_add(source.errors, home, "%s is %s, must be a group { }",
				   options_main[g].name, source_type_name(group));
			group = NULL;
		}
		fine = options_read(&source, group, options_main[g].name, home, &options_main[g],
				    loading->config, loading->lines[g]) &&
		       fine;
	}
	source_close(&source);
	if (fine) {
		check_listen(loading);
		check_sizes(loading);
		check_seals(loading);
		check_keys(loading);
		check_archive(loading);
	}
	return fine;
}

static bool is_conf_name(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > strlen(".conf") && strcmp(name + len - 5, ".conf") == 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Adds one file of a folder to loading->files. */
static bool note_file(struct loading *loading, const char *folder, const char *name, size_t n_folder)
{
	char path[CONFIG_PATH_MAX];
	struct place place = { folder, 0 };
	char **files;

	if (n_folder == MAX_FILES) {
		errors_add(loading->errors, place, "holds more than %d files, must be fewer",
			   MAX_FILES);
		return false;
	}
	if (!source_resolve(folder, name, path)) {
		errors_add(loading->errors, place, "is too long a path with its files");
		return false;
	}
	files = realloc(loading->files, (loading->n_files + 1) * sizeof(*files));
	if (files == NULL)
		goto fail;
	loading->files = files;
	files[loading->n_files] = strdup(path);
	if (files[loading->n_files] == NULL)
		goto fail;
	loading->n_files++;
	return true;
fail:
	errors_add(loading->errors, place, "no memory");
	return false;
}

/* Adds the *.conf files of a folder, in the order of their names. */
static void note_folder(struct loading *loading, const char *folder)
{
	size_t first = loading->n_files;
	DIR *directory = opendir(folder);
	const struct dirent *entry;

	if (directory == NULL) {
		errors_add(loading->errors, (struct place){ folder, 0 },
			   "cannot be opened: %s; must be a folder", strerror(errno));
		return;
	}
	while ((entry = readdir(directory)) != NULL)
		if (is_conf_name(entry->d_name) &&
		    !note_file(loading, folder, entry->d_name, loading->n_files - first))
			break;
	closedir(directory);
	if (loading->n_files - first > 1)
		qsort(loading->files + first, loading->n_files - first, sizeof(*loading->files),
		      by_text);
}

static void build_folder(struct loading *loading, struct builder *builder, const char *folder,
			 void (*build)(struct builder *builder, const struct source *source))
{
	size_t first = loading->n_files;

	note_folder(loading, folder);
	if (loading->n_files == first)
		errors_warn(loading->errors, (struct place){ folder, 0 },
			    "holds no *.conf file: %s",
			    build == build_agencies ? "nobody can connect" : "nothing is allowed");
	for (size_t i = first; i < loading->n_files; i++) {
		struct source source;

		if (!source_open(&source, loading->files[i], loading->root, loading->errors))
			continue;
		build(builder, &source);
		source_close(&source);
	}
}

static void load_rules(struct loading *loading, int64_t now_ns)
{
	struct config *config = loading->config;
	struct builder builder = { .errors = loading->errors, .now_ns = now_ns,
				   .sealing = config->keys_directory[0] != '\0' };

	config->rules = rules_new();
	if (config->rules == NULL) {
		errors_add(loading->errors, (struct place){ config->path, 0 }, "no memory");
		return;
	}
	strcpy(config->rules->broker, config->agency);
	builder.rules = config->rules;
	build_folder(loading, &builder, config->agencies_directory, build_agencies);
	build_folder(loading, &builder, config->agreements_directory, build_agreements);
	if (config_errors_count(loading->errors) == 0) {
		build_review(&builder);
		if (!rules_finish(config->rules))
			errors_add(loading->errors, (struct place){ config->path, 0 },
				   "no memory");
	}
	builder_fini(&builder);
}

static void find_root(const char *path, char root[CONFIG_PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t len = slash != NULL ? (size_t)(slash - path) : 0;

	if (slash == NULL) {
		strcpy(root, ".");
	} else if (len == 0) {
		strcpy(root, "/");
	} else {
		memcpy(root, path, len);
		root[len] = '\0';
	}
}

bool config_find_socket(const char *path, char out[CONFIG_PATH_MAX])
{
	struct loading loading = { .errors = config_errors_new() };

	out[0] = '\0';
	loading.config = calloc(1, sizeof(*loading.config));
	if (loading.errors != NULL && loading.config != NULL && strlen(path) < CONFIG_PATH_MAX) {
		strcpy(loading.config->path, path);
		find_root(path, loading.root);
		load_main(&loading);
		strcpy(out, loading.config->control_socket);
	}
	config_free(&loading.config);
	config_errors_free(&loading.errors);
	return out[0] != '\0';
}

struct config *config_load(const char *path, int64_t now_ns, struct config_errors *errors)
{
	struct loading loading = { .errors = errors };

	if (strlen(path) >= CONFIG_PATH_MAX) {
		errors_add(errors, (struct place){ path, 0 }, "is too long a path");
		return NULL;
	}
	loading.config = calloc(1, sizeof(*loading.config));
	if (loading.config == NULL) {
		errors_add(errors, (struct place){ path, 0 }, "no memory");
		return NULL;
	}
	strcpy(loading.config->path, path);
	find_root(path, loading.root);
	if (load_main(&loading))
		load_rules(&loading, now_ns);
	for (size_t i = 0; i < loading.n_files; i++)
		free(loading.files[i]);
	free(loading.files);
	if (config_errors_count(errors) > 0)
		config_free(&loading.config);
	return loading.config;
}

void config_free(struct config **config)
{
	if (config == NULL || *config == NULL)
		return;
	if ((*config)->rules != NULL)
		rules_free(&(*config)->rules);
	free(*config);
	*config = NULL;
}
