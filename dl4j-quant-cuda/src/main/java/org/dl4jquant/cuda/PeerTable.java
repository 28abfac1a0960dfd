// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dl4jquant.files.WholeFile;

/**
 * Prints what {@link GpuRunner} measured beside what {@code peers.py} did, as the last step of a
 * trial; also to {@code comparison.txt}.
 */
public final class PeerTable {

    private PeerTable() {}

    /**
     * Prints the table and ends the JVM: with 0, or 2 if a file cannot be read.
     *
     * @param args the folder with {@code figures.tsv} and, if there were peers, {@code peers.tsv}
     */
    public static void main(String[] args) {
        PrintStream print = new PrintStream(System.out, true, Charset.defaultCharset());
        int result = 2;
        if (args.length != 1) {
            print.println("one folder is needed: the one with the figures");
        } else {
            try {
                write(Path.of(args[0]), print);
                result = 0;
            } catch (IOException e) {
                print.println(e.getMessage());
            }
        }
        System.exit(result);
    }

    static void write(Path folder, PrintStream print) throws IOException {
        List<Figure> all = new ArrayList<>(Figure.read(folder.resolve("figures.tsv")));
        all.addAll(Figure.read(folder.resolve("peers.tsv")));
        List<String> lines = Figures.table(all);
        lines.forEach(print::println);
        WholeFile.write(folder.resolve("comparison.txt"), String.join("\n", lines) + "\n");
    }
}
