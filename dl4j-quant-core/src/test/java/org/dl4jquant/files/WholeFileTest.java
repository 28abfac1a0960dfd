// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.files;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.DataOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WholeFileTest {

    private static final byte[] OLD = "the former file".getBytes(UTF_8);
    private static final byte[] NEW = "the new one".getBytes(UTF_8);

    @TempDir Path folder;

    @Test
    void writesNewFilesAndReplacesOldOnes() throws IOException {
        Path file = folder.resolve("file");
        WholeFile.write(file, OLD);
        assertArrayEquals(OLD, Files.readAllBytes(file));
        WholeFile.write(file, NEW);
        assertArrayEquals(NEW, Files.readAllBytes(file));
        WholeFile.write(file, "Grüße\n");
        assertEquals("Grüße\n", Files.readString(file));
        assertEquals(List.of("file"), names());
    }

    @Test
    void contentMayCloseItsStreamOrNot() throws IOException {
        Path file = folder.resolve("file");
        WholeFile.write(
                file,
                out -> {
                    try (DataOutputStream data = new DataOutputStream(out)) {
                        data.writeInt(7);
                    }
                });
        assertArrayEquals(new byte[] {0, 0, 0, 7}, Files.readAllBytes(file));
    }

    /* Wherever a write fails, at its begin, inside of a buffer, or after several. */
    @Test
    void aWriteThatFailsLeavesTheFormerFileAndNothingElse() throws IOException {
        Path file = Files.write(folder.resolve("file"), OLD);
        for (int bytes : new int[] {0, 1, 1 << 16, 300_000}) {
            IOException full =
                    assertThrows(
                            IOException.class,
                            () ->
                                    WholeFile.write(
                                            file,
                                            out -> {
                                                out.write(new byte[bytes]);
                                                throw new IOException("No space left on device");
                                            }));
            assertTrue(full.getMessage().contains(file.toAbsolutePath().toString()));
            assertTrue(full.getMessage().contains("No space left on device"));
            assertThrows(
                    IllegalStateException.class,
                    () ->
                            WholeFile.write(
                                    file,
                                    out -> {
                                        out.write(new byte[bytes]);
                                        throw new IllegalStateException();
                                    }));
            assertArrayEquals(OLD, Files.readAllBytes(file));
            assertEquals(List.of("file"), names());
        }
    }

    @Test
    void aFileThatWasNotThereIsNotThereAfterAFailure() throws IOException {
        assertThrows(
                IOException.class,
                () ->
                        WholeFile.write(
                                folder.resolve("file"),
                                out -> {
                                    throw new IOException("no");
                                }));
        assertEquals(List.of(), names());
    }

    @Test
    void aMoveThatFailsLeavesTheFormerFileAndNothingElse() throws IOException {
        Path file = Files.write(folder.resolve("file"), OLD);
        assertThrows(
                IOException.class,
                () ->
                        WholeFile.write(
                                file,
                                out -> out.write(NEW),
                                (from, to, options) -> {
                                    throw new IOException("no");
                                }));
        assertArrayEquals(OLD, Files.readAllBytes(file));
        assertEquals(List.of("file"), names());
    }

    @Test
    void saysSoWhereTheFileSystemHasNoAtomicMove() throws IOException {
        Path file = Files.write(folder.resolve("file"), OLD);
        List<String> said =
                warnings(
                        () ->
                                WholeFile.write(
                                        file,
                                        out -> out.write(NEW),
                                        (from, to, options) -> {
                                            if (Arrays.asList(options)
                                                    .contains(StandardCopyOption.ATOMIC_MOVE)) {
                                                throw new AtomicMoveNotSupportedException(
                                                        "a", "b", "none here");
                                            }
                                            Files.move(from, to, options);
                                        }));
        assertArrayEquals(NEW, Files.readAllBytes(file));
        assertEquals(List.of("file"), names());
        assertEquals(1, said.size());
        assertTrue(
                said.get(0).contains("cannot replace a file in one step (none here)"),
                said::toString);
        assertTrue(said.get(0).contains(file.toString()), said::toString);
    }

    @Test
    void aReplacedFileKeepsItsMode() throws IOException {
        requirePosix();
        for (String mode : List.of("rw-------", "rwxr-x--x", "rw-rw-rw-")) {
            Path file = Files.write(folder.resolve("file"), OLD);
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
            WholeFile.write(file, NEW);
            assertEquals(mode, mode(file));
            assertArrayEquals(NEW, Files.readAllBytes(file));
        }
    }

    @Test
    void aNewFileHasTheModeOfAnyNewFile() throws IOException {
        requirePosix();
        Path usual = Files.write(folder.resolve("usual"), OLD);
        Path file = folder.resolve("file");
        WholeFile.write(file, NEW);
        assertEquals(mode(usual), mode(file));
    }

    @Test
    void aSymbolicLinkStaysAndItsTargetIsReplaced() throws IOException {
        requirePosix();
        Path deep = Files.createDirectories(folder.resolve("deep/er"));
        Path target = Files.write(deep.resolve("target"), OLD);
        Path second = Files.createSymbolicLink(deep.resolve("second"), Path.of("target"));
        Path first = Files.createSymbolicLink(folder.resolve("first"), Path.of("deep/er/second"));
        WholeFile.write(first, NEW);
        assertTrue(Files.isSymbolicLink(first));
        assertTrue(Files.isSymbolicLink(second));
        assertFalse(Files.isSymbolicLink(target));
        assertArrayEquals(NEW, Files.readAllBytes(target));

        Path dangling = Files.createSymbolicLink(folder.resolve("dangling"), Path.of("deep/none"));
        WholeFile.write(dangling, NEW);
        assertArrayEquals(NEW, Files.readAllBytes(folder.resolve("deep/none")));
        assertTrue(Files.isSymbolicLink(dangling));
    }

    @Test
    void refusesLinksInACircle() throws IOException {
        requirePosix();
        Path a = Files.createSymbolicLink(folder.resolve("a"), Path.of("b"));
        Files.createSymbolicLink(folder.resolve("b"), Path.of("a"));
        IOException refused = assertThrows(IOException.class, () -> WholeFile.write(a, NEW));
        assertTrue(refused.getMessage().contains("circle"), refused::getMessage);
    }

    @Test
    void refusesAFolderAndAMissingFolderByName() throws IOException {
        Path inside = Files.write(folder.resolve("inside"), OLD);
        IOException refused = assertThrows(IOException.class, () -> WholeFile.write(folder, NEW));
        assertTrue(refused.getMessage().contains("it is a folder"), refused::getMessage);
        assertArrayEquals(OLD, Files.readAllBytes(inside));

        Path missing = folder.resolve("none").resolve("file");
        refused = assertThrows(IOException.class, () -> WholeFile.write(missing, NEW));
        assertTrue(
                refused.getMessage().contains("there is no folder " + missing.getParent()),
                refused::getMessage);
    }

    @Test
    void namesTheFolderThatALinkLeadsToAndThatIsMissing() throws IOException {
        requirePosix();
        Path link =
                Files.createSymbolicLink(folder.resolve("link"), Path.of("missing").resolve("x"));
        IOException refused = assertThrows(IOException.class, () -> WholeFile.write(link, NEW));
        assertTrue(
                refused.getMessage().contains("there is no folder " + folder.resolve("missing")),
                refused.getMessage());
    }

    @Test
    void saysThatAThreadWasInterrupted() throws IOException {
        Path file = Files.write(folder.resolve("file"), OLD);
        Thread.currentThread().interrupt();
        IOException refused;
        try {
            refused = assertThrows(IOException.class, () -> WholeFile.write(file, NEW));
        } finally {
            assertTrue(Thread.interrupted(), "who interrupts must be heard by others, too");
        }
        assertTrue(
                refused.getMessage().contains(": its thread was interrupted; what was there"),
                refused.getMessage());
        assertArrayEquals(OLD, Files.readAllBytes(file));
        assertEquals(List.of("file"), names());
    }

    @Test
    void refusesAFileThatIsReadOnly() throws IOException {
        requirePosix();
        Path file = Files.write(folder.resolve("file"), OLD);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--r--r--"));
        if (Files.isWritable(file)) { // the superuser's right
            WholeFile.write(file, NEW);
            assertEquals("r--r--r--", mode(file));
            return;
        }
        IOException refused = assertThrows(IOException.class, () -> WholeFile.write(file, NEW));
        assertTrue(refused.getMessage().contains("read-only"), refused::getMessage);
        assertArrayEquals(OLD, Files.readAllBytes(file));
    }

    @Test
    void writesToWhatIsNoOrdinaryFile() throws IOException {
        Path nothing = Path.of("/dev/null");
        assumeTrue(Files.exists(nothing), "this system has no /dev/null");
        WholeFile.write(nothing, NEW);
        assertFalse(Files.isRegularFile(nothing));
        assertTrue(Files.exists(nothing));
    }

    @Test
    void removesTheDraftsOfProcessesThatWereKilled() throws IOException {
        Path file = folder.resolve("file");
        Path left;
        try (Draft draft = Draft.of(file)) {
            left = draft.path();
            Path other = folder.resolve("other");
            WholeFile.write(other, NEW);
            WholeFile.write(file, NEW);
            assertTrue(Files.exists(left), "a draft that is being written stays");
        }
        Files.write(left, OLD); // as a process that is gone leaves it
        WholeFile.write(folder.resolve("other"), NEW);
        assertTrue(Files.exists(left), "it is another file's draft");
        WholeFile.write(file, NEW);
        assertEquals(List.of("file", "other"), names());
    }

    @Test
    void manyWritersOfOneFileLeaveTheWholeFileOfOne() throws IOException {
        Path file = folder.resolve("file");
        IntStream.range(0, 64)
                .parallel()
                .forEach(
                        i -> {
                            byte[] bytes = new byte[100_000 + i];
                            Arrays.fill(bytes, (byte) i);
                            try {
                                WholeFile.write(file, bytes);
                            } catch (IOException e) {
                                throw new java.io.UncheckedIOException(e);
                            }
                        });
        byte[] found = Files.readAllBytes(file);
        byte[] expected = new byte[100_000 + found[0]];
        Arrays.fill(expected, found[0]);
        assertArrayEquals(expected, found);
        assertEquals(List.of("file"), names());
    }

    @Test
    void writesToFileSystemsThatAreNotTheSystems() throws IOException {
        URI zip = URI.create("jar:" + folder.resolve("archive.zip").toUri());
        try (FileSystem files = FileSystems.newFileSystem(zip, Map.of("create", "true"))) {
            Path file = files.getPath("/file");
            WholeFile.write(file, OLD);
            WholeFile.write(file, NEW);
            assertArrayEquals(NEW, Files.readAllBytes(file));
        }
    }

    @Test
    void longNamesAreNoObstacle() throws IOException {
        Path file = folder.resolve("n".repeat(250));
        WholeFile.write(file, NEW);
        assertArrayEquals(NEW, Files.readAllBytes(file));
    }

    private void requirePosix() {
        assumeTrue(
                folder.getFileSystem().supportedFileAttributeViews().contains("posix"),
                "this file system has no modes or links of POSIX");
    }

    private static String mode(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(each -> each.getFileName().toString()).sorted().toList();
        }
    }

    /** Something that writes. */
    @FunctionalInterface
    interface Action {
        void run() throws IOException;
    }

    /** {@return the messages of a call in the log of this package} */
    static List<String> warnings(Action action) throws IOException {
        List<String> said = new ArrayList<>();
        SimpleFormatter formatter = new SimpleFormatter();
        Handler handler =
                new Handler() {
                    @Override
                    public void publish(LogRecord record) {
                        said.add(formatter.formatMessage(record));
                    }

                    @Override
                    public void flush() {}

                    @Override
                    public void close() {}
                };
        Logger logger = Logger.getLogger(WholeFile.class.getPackageName());
        logger.addHandler(handler);
        try {
            action.run();
        } finally {
            logger.removeHandler(handler);
        }
        return said;
    }
}
