// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Nobody outside of this package opens files to write or replace them, in all three modules. */
class FileWritersTest {

    private static final List<String> MODULES =
            List.of("dl4j-quant-core", "dl4j-quant-cuda", "dl4j-quant-examples");

    private static final Pattern COMMENTS = Pattern.compile("(?s)/\\*.*?\\*/|//[^\\n]*");

    private static final Pattern WRITES =
            Pattern.compile(
                    "\\bFiles\\s*\\.\\s*(?:write|writeString|newOutputStream|newBufferedWriter"
                            + "|newByteChannel|move|copy|createTempFile)\\s*\\("
                            + "|\\bnew\\s+(?:FileOutputStream|FileWriter|RandomAccessFile)\\b"
                            + "|\\bnew\\s+Print(?:Writer|Stream)\\s*\\((?!\\s*(?:System\\.|said\\b))"
                            + "|\\bFileChannel\\s*\\.\\s*open\\b"
                            + "|\\bwriteModel\\s*\\(\\s*\\w+\\s*,(?!\\s*out\\b)"
                            + "|\\bImageIO\\s*\\.\\s*write\\b"
                            + "|\\bNd4j\\s*\\.\\s*(?:saveBinary|writeTxt|writeNumpy|writeAsNumpy)\\b"
                            + "|(?<!ExactResume)\\.\\s*save\\s*\\(");

    /* Who may, how often, and why. */
    private static final Map<String, List<String>> ALLOWED =
            Map.of(
                    // Reads.
                    "EngineFile.java",
                    List.of("FileChannel.open"),
                    // Into a folder of its own that it deletes.
                    "Nvcc.java",
                    List.of("Files.writeString(", "Files.writeString("),
                    // Into memory.
                    "QatTrial.java",
                    List.of("writeModel(model,"),
                    // From files into streams, and a whole folder into its place.
                    "RunnerFolder.java",
                    List.of("Files.copy(", "Files.move(", "Files.copy("));

    private static List<String> writes(String source) {
        List<String> found = new ArrayList<>();
        Matcher matcher = WRITES.matcher(COMMENTS.matcher(source).replaceAll(" "));
        while (matcher.find()) {
            found.add(matcher.group());
        }
        return found;
    }

    @Test
    void nobodyElseWritesFiles() throws IOException {
        Map<String, List<String>> found = new TreeMap<>();
        int scanned = 0;
        for (String module : MODULES) {
            Path sources = Path.of("..", module, "src", "main", "java");
            assertTrue(Files.isDirectory(sources), () -> "no sources in " + sources);
            try (Stream<Path> files = Files.walk(sources)) {
                for (Path file : files.filter(each -> each.toString().endsWith(".java")).toList()) {
                    scanned++;
                    List<String> writes = writes(Files.readString(file));
                    if (!writes.isEmpty() && !file.getParent().endsWith("org/dl4jquant/files")) {
                        found.put(String.valueOf(file.getFileName()), writes);
                    }
                }
            }
        }
        assertEquals(new TreeMap<>(ALLOWED), found);
        assertTrue(scanned > 300, scanned + " files");
    }

    @Test
    void seesEachWayToWrite() {
        for (String write :
                List.of(
                        "Files.write(file, bytes);",
                        "Files\n    .writeString(file, text);",
                        "Files.newOutputStream(file)",
                        "Files.newBufferedWriter(file)",
                        "Files.move(draft, file, REPLACE_EXISTING)",
                        "Files.copy(in, file)",
                        "new FileOutputStream(file)",
                        "new RandomAccessFile(file, \"rw\")",
                        "new PrintWriter(file)",
                        "FileChannel.open(file, WRITE)",
                        "ModelSerializer.writeModel(network, file.toFile(), true)",
                        "ImageIO.write(image, \"png\", file)",
                        "network.save(file)",
                        "Nd4j.saveBinary(array, file)")) {
            assertEquals(1, writes(write).size(), write);
        }
        for (String other :
                List.of(
                        "WholeFile.write(file, bytes)",
                        "ModelSerializer.writeModel(network, out, true)",
                        "new PrintWriter(System.err, true)",
                        "ExactResume.save(network, file)",
                        "// Files.write(file, bytes)",
                        "Files.readString(file)")) {
            assertEquals(List.of(), writes(other));
        }
    }
}
