import Foundation

/// A library to preload, with which a process gets some threads and no more: `ulimit -u` counts all processes of a user, and not
/// those of root.
public enum ThreadLimit {
    private static let source = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <errno.h>
        #include <pthread.h>
        #include <stdatomic.h>
        #include <stdlib.h>
        static _Atomic int made;
        typedef int create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
        int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument) {
            if (atomic_fetch_add(&made, 1) >= atoi(getenv("TEST_THREADS"))) return EAGAIN;
            return ((create *)dlsym(RTLD_NEXT, "pthread_create"))(thread, attributes, start, argument);
        }
        """

    /// Environment of a process that gets so many threads besides its first; nil without a C compiler.
    public static func environment(threads: Int, in folder: TemporaryFolder) throws -> [String: String]? {
        guard let compiler = Tool.installed("cc") ?? Tool.installed("clang") else { return nil }
        let library = folder.file("thread_limit.so")
        if !FileManager.default.fileExists(atPath: library) {
            try source.write(toFile: folder.file("thread_limit.c"), atomically: true, encoding: .utf8)
            let result = try compiler.run(
                ["-shared", "-fPIC", "-o", library, folder.file("thread_limit.c"), "-ldl"], in: folder.path)
            guard result.status == 0 else { throw CocoaError(.executableLoad) }
        }
        return ["LD_PRELOAD": library, "TEST_THREADS": "\(threads)"]
    }
}
