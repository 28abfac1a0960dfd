// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.docs;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.net.URI;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/**
 * Java code of a page, compiled in memory: its imports, and its statements as the body of a method
 * of a subclass, whose protected fields are what the page's text says is there.
 */
public final class JavaSnippet {

    private static final String NAME = "CompiledSnippet";

    private final String where;
    private final Class<? extends Runnable> type;

    private JavaSnippet(String where, Class<? extends Runnable> type) {
        this.where = where;
        this.type = type;
    }

    /** The class around a snippet's statements; they may throw anything. */
    public abstract static class Context implements Runnable {

        /** The statements of the snippet. */
        protected abstract void statements() throws Exception;

        @Override
        public final void run() {
            try {
                statements();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /**
     * {@return the compiled snippet}
     *
     * @param where for messages, such as README.md:12
     * @param code imports, and statements after them
     * @param context has the variables that the code reads
     * @throws AssertionError if it does not compile
     */
    public static JavaSnippet compile(String where, String code, Class<? extends Context> context) {
        Source source = new Source(unit(code, context));
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter messages = new StringWriter();
        try (Classes classes = new Classes(compiler.getStandardFileManager(null, null, null))) {
            boolean compiled =
                    compiler.getTask(
                                    messages,
                                    classes,
                                    null,
                                    List.of("-proc:none", "-classpath", classPath()),
                                    null,
                                    List.of(source))
                            .call();
            if (!compiled) {
                throw new AssertionError(where + " does not compile:\n" + messages + source.text);
            }
            return new JavaSnippet(where, classes.load(context.getClassLoader()));
        } catch (IOException | ClassNotFoundException e) {
            throw new AssertionError(where, e);
        }
    }

    /** Runs the snippet with a new context. */
    public void run() {
        try {
            type.getDeclaredConstructor().newInstance().run();
        } catch (InvocationTargetException e) {
            throw new AssertionError(where + ": its context cannot be made", e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(where, e);
        } catch (RuntimeException e) {
            throw new AssertionError(where + " fails: " + e.getMessage(), e);
        }
    }

    private static String unit(String code, Class<? extends Context> context) {
        Map<Boolean, String> parts =
                code.lines()
                        .collect(
                                Collectors.partitioningBy(
                                        line -> line.startsWith("import "),
                                        Collectors.mapping(
                                                line -> line, Collectors.joining("\n"))));
        String imports =
                parts.get(true).lines().distinct().sorted().collect(Collectors.joining("\n"));
        return imports
                + "\n\npublic class "
                + NAME
                + " extends "
                + context.getCanonicalName()
                + " {\nprotected void statements() throws Exception {\n"
                + parts.get(false)
                + "\n}\n}\n";
    }

    /* Surefire starts virtual machines with one jar whose manifest names the class path. */
    private static String classPath() {
        return System.getProperty(
                "surefire.test.class.path", System.getProperty("java.class.path"));
    }

    /** The source in memory. */
    private static final class Source extends SimpleJavaFileObject {

        private final String text;

        Source(String text) {
            super(URI.create("memory:///" + NAME + ".java"), JavaFileObject.Kind.SOURCE);
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }

    /** The class files in memory. */
    private static final class Classes extends ForwardingJavaFileManager<JavaFileManager> {

        private final Map<String, ByteArrayOutputStream> files = new HashMap<>();

        Classes(JavaFileManager manager) {
            super(manager);
        }

        @Override
        public JavaFileObject getJavaFileForOutput(
                Location location, String name, JavaFileObject.Kind kind, FileObject sibling) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            files.put(name, bytes);
            return new SimpleJavaFileObject(URI.create("memory:///" + name + ".class"), kind) {
                @Override
                public OutputStream openOutputStream() {
                    return bytes;
                }
            };
        }

        Class<? extends Runnable> load(ClassLoader parent) throws ClassNotFoundException {
            ClassLoader loader =
                    new ClassLoader(parent) {
                        @Override
                        protected Class<?> findClass(String name) throws ClassNotFoundException {
                            ByteArrayOutputStream bytes = files.get(name);
                            if (bytes == null) {
                                throw new ClassNotFoundException(name);
                            }
                            return defineClass(name, bytes.toByteArray(), 0, bytes.size());
                        }
                    };
            return loader.loadClass(NAME).asSubclass(Runnable.class);
        }
    }
}
