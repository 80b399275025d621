using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Runtime;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

public sealed class ExportTests : IDisposable
{
    private const string HandTable = "# kept by hand since 2014\npartner.example  encrypt\n";

    private readonly CliSession session = new();

    private string Table => Path.Combine(session.Directory, "table");

    private string Kept => Table + ".20261123T120000Z";

    public void Dispose() => session.Dispose();

    [Fact]
    public void Json_is_refused_with_the_command_that_writes_it()
    {
        var result = session.Run("export", Table, "--format", "json");

        Assert.Equal(ExitCode.Usage, result.Code);
        Assert.Contains("policyctl domain list --format json", result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Table));
    }

    [Fact]
    public void A_new_file_gets_the_table_and_nothing_else_appears()
    {
        session.Succeed("domain", "add", "a.example", "--level", "secure");
        var before = Names();

        var result = session.Run("export", Table);

        Assert.Equal((ExitCode.Done, "1 entry.\n"), (result.Code, result.Error));
        Assert.Equal(session.Succeed("export"), File.ReadAllText(Table));
        Assert.Equal([.. before, "table"], Names());
    }

    [Fact]
    public void A_file_that_is_replaced_is_kept_and_named()
    {
        session.Succeed("domain", "add", "a.example", "--level", "secure");
        File.WriteAllText(Table, HandTable);
        var mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
        File.SetUnixFileMode(Table, mode);

        var result = session.Run("export", Table);

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Contains($"{Table} as it was: {Kept}", result.Error, StringComparison.Ordinal);
        Assert.Equal(HandTable, File.ReadAllText(Kept));
        Assert.Contains("a.example", File.ReadAllText(Table), StringComparison.Ordinal);
        Assert.Equal(mode, File.GetUnixFileMode(Table));
    }

    [Fact]
    public void Two_of_one_second_are_both_kept()
    {
        session.Succeed("domain", "add", "a.example", "--level", "secure");
        File.WriteAllText(Table, HandTable);
        session.Succeed("export", Table);
        File.WriteAllText(Table, "other.example may\n");

        session.Succeed("export", Table);

        Assert.Equal(HandTable, File.ReadAllText(Kept));
        Assert.Equal("other.example may\n", File.ReadAllText(Kept + ".2"));
    }

    [Fact]
    public void The_same_table_again_leaves_the_file_and_keeps_no_copy()
    {
        session.Succeed("domain", "add", "a.example", "--level", "secure");
        session.Succeed("export", Table);
        var before = Names();

        var result = session.Run("export", Table);

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Contains("was left as it is", result.Error, StringComparison.Ordinal);
        Assert.Equal(before, Names());
    }

    [Fact]
    public void An_empty_table_takes_the_place_of_entries_only_when_it_is_meant()
    {
        File.WriteAllText(Table, HandTable);

        var refused = session.Run("export", Table);

        Assert.Equal(ExitCode.Invalid, refused.Code);
        Assert.Contains("--force", refused.Error, StringComparison.Ordinal);
        Assert.Equal(HandTable, File.ReadAllText(Table));

        session.Succeed("export", Table, "--force");
        Assert.DoesNotContain("encrypt", File.ReadAllText(Table), StringComparison.Ordinal);
        Assert.Equal(HandTable, File.ReadAllText(Kept));
    }

    [Fact]
    public void An_empty_table_over_an_empty_one_needs_no_force()
    {
        File.WriteAllText(Table, "# nothing yet\n\n");

        Assert.Equal(ExitCode.Done, session.Run("export", Table).Code);
    }

    [Fact]
    public void A_link_is_refused_and_names_what_it_leads_to()
    {
        session.Succeed("domain", "add", "a.example", "--level", "secure");
        var victim = Path.Combine(session.Directory, "victim");
        File.WriteAllText(victim, "precious");
        File.CreateSymbolicLink(Table, victim);

        var result = session.Run("export", Table);

        Assert.Equal(ExitCode.Invalid, result.Code);
        Assert.Contains($"is a symbolic link to {victim}", result.Error, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(victim));
        Assert.Equal(victim, new FileInfo(Table).LinkTarget);
    }

    [Fact]
    public void A_link_planted_where_a_draft_could_lie_is_not_followed()
    {
        session.Succeed("domain", "add", "a.example", "--level", "secure");
        var victim = Path.Combine(session.Directory, "victim");
        File.CreateSymbolicLink(Table + ".new", victim);

        session.Succeed("export", Table);

        Assert.False(File.Exists(victim));
        Assert.Null(new FileInfo(Table).LinkTarget);
    }

    [Fact]
    public void A_named_pipe_stays_one()
    {
        using (var mkfifo = Process.Start("mkfifo", [Table]))
            mkfifo.WaitForExit();
        session.Succeed("domain", "add", "a.example", "--level", "secure");

        var result = session.Run("export", Table);

        Assert.Equal(ExitCode.Invalid, result.Code);
        Assert.Contains($"policyctl export > {Table}", result.Error, StringComparison.Ordinal);
        Assert.False(IsRegular(Table));
    }

    [Fact]
    public void A_directory_is_refused()
    {
        var result = session.Run("export", session.Directory);

        Assert.Equal(ExitCode.Invalid, result.Code);
        Assert.Contains("is a directory", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/dev/stdout")]
    [InlineData("/dev/fd/1")]
    [InlineData("-")]
    public void Standard_output_may_have_any_of_its_names(string name)
    {
        session.Succeed("domain", "add", "a.example", "--level", "secure");
        var target = new FileInfo("/dev/stdout").LinkTarget;

        Assert.Equal(session.Succeed("export"), session.Succeed("export", name));
        Assert.Equal(target, new FileInfo("/dev/stdout").LinkTarget);
    }

    [Fact]
    public void A_character_device_is_written_to_also_by_a_link()
    {
        session.Succeed("domain", "add", "a.example", "--level", "secure");
        File.CreateSymbolicLink(Table, "/dev/null");

        session.Succeed("export", Table);

        Assert.Equal("/dev/null", new FileInfo(Table).LinkTarget);
        Assert.False(IsRegular("/dev/null"));
    }

    [Theory]
    [InlineData("/dev/fd/{0}")]
    [InlineData("/proc/self/fd/{0}")]
    [InlineData("//dev/./fd/{0}")]
    public void A_file_that_the_shell_appends_to_keeps_what_it_has(string name)
    {
        session.Succeed("domain", "add", "a.example", "--level", "secure");
        File.WriteAllText(Table, HandTable);
        // .NET's own appending is a matter of offsets.
        using var shells = new SafeFileHandle(NativeMethods.Open(Table, 0x401, 0), ownsHandle: true); // O_WRONLY | O_APPEND
        Assert.False(shells.IsInvalid);

        session.Succeed("export", Named(name, shells));

        Assert.Equal(HandTable + session.Succeed("export"), File.ReadAllText(Table));
    }

    [Fact]
    public void What_the_shell_writes_afterwards_stands_behind_the_table()
    {
        session.Succeed("domain", "add", "a.example", "--level", "secure");
        var table = session.Succeed("export");
        using (var opened = File.OpenHandle(Table, FileMode.Create, FileAccess.Write, FileShare.ReadWrite))
        {
            using var shells = new SafeFileHandle(Duplicate((int)opened.DangerousGetHandle()), ownsHandle: true);

            session.Succeed("export", Named("/dev/fd/{0}", shells));
            session.Succeed("export", Named("/dev/fd/{0}", shells));
        }

        Assert.Equal(table + table, File.ReadAllText(Table));
    }

    [Fact]
    public void A_descriptor_that_nobody_handed_over_is_refused_though_it_be_open()
    {
        File.WriteAllText(Table, HandTable);
        // Of this process itself, as the store's is.
        using var own = File.OpenHandle(Table, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        using var read = File.OpenHandle(Table, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var onlyRead = new SafeFileHandle(Duplicate((int)read.DangerousGetHandle()), ownsHandle: true);

        var refused = session.Run("export", Named("/dev/fd/{0}", own));
        var readOnly = session.Run("export", Named("/dev/fd/{0}", onlyRead));

        Assert.Equal((ExitCode.Invalid, ExitCode.Invalid), (refused.Code, readOnly.Code));
        Assert.Matches("^policyctl: descriptor [0-9]+ is not open; a shell opens it, to append to a file say, by [0-9]+>>FILE\n$", refused.Error);
        Assert.Matches("^policyctl: descriptor [0-9]+ is open for reading only\n$", readOnly.Error);
        Assert.Equal(ExitCode.Invalid, session.Run("export", "/dev/fd/999999").Code);
        Assert.Equal(HandTable, File.ReadAllText(Table));
    }

    private static string Named(string name, SafeFileHandle descriptor) =>
        name.Replace("{0}", ((int)descriptor.DangerousGetHandle()).ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);

    /// <summary>dup(2): the new descriptor is one that exec(2) hands over, as a shell's are.</summary>
    [DllImport("libc", EntryPoint = "dup")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Duplicate(int descriptor);

    private static bool IsRegular(string path) =>
        FileFacts.Of(path) is { Kind: FileKind.Regular };

    private List<string?> Names() => [.. Directory.EnumerateFileSystemEntries(session.Directory).Select(Path.GetFileName)
        .Where(name => !name!.EndsWith("-wal", StringComparison.Ordinal) && !name.EndsWith("-shm", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
}
