/* Runs a fuzzer over files: those named, or those of its corpus. Prints TAP, and the name of a file
 * before it is run, so that the last one named is the one that crashed. */
#include "fuzz.h"

#include <dirent.h>
#include <sys/stat.h>

static size_t count;

static void replay(const char *path)
{
	FILE *file = fopen(path, "re");
	struct stat status;
	uint8_t *data;
	size_t size;

	if (file == NULL || fstat(fileno(file), &status) != 0) {
		perror(path);
		exit(1);
	}
	size = (size_t)status.st_size;
	data = malloc(size > 0 ? size : 1);
	FUZZ_HOLDS(data != NULL && fread(data, 1, size, file) == size);
	fclose(file);
	printf("# %s\n", path);
	fflush(stdout);
	(void)LLVMFuzzerTestOneInput(data, size);
	printf("ok %zu - %s\n", ++count, path);
	free(data);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void replay_folder(const char *folder)
{
	struct dirent **entries = NULL;
	int found = scandir(folder, &entries, is_visible, alphasort);
	struct text path = {0};

	if (found < 0) {
		perror(folder);
		exit(1);
	}
	for (int i = 0; i < found; i++) {
		text_clear(&path);
		text_printf(&path, "%s/%s", folder, entries[i]->d_name);
		replay(path.bytes);
		free(entries[i]);
	}
	free(entries);
	text_fini(&path);
}

/* Of tests/fuzz/fuzz_job: tests/fuzz/corpus/job in the sources. */
static void replay_corpus(const char *program)
{
	const char *sources = getenv("srcdir");
	const char *target = strrchr(program, '_');
	struct text folder = {0};

	FUZZ_HOLDS(target != NULL);
	text_printf(&folder, "%s/tests/fuzz/corpus/%s", sources != NULL ? sources : ".",
		    target + 1);
	replay_folder(folder.bytes);
	text_fini(&folder);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		replay_corpus(argv[0]);
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	printf("1..%zu\n", count);
	if (count == 0)
		fputs("nothing to replay\n", stderr);
	return count > 0 ? 0 : 1;
}
