using PolicyDaemon.Cli.Hosting;

namespace PolicyDaemon.Cli.Files;

/// <summary>The file that <c>import</c> and <c>apply</c> read.</summary>
internal static class TableSource
{
    /// <summary>Opens it; <c>-</c> is standard input.</summary>
    /// <exception cref="CommandException">There is none.</exception>
    internal static Stream Open(CommandContext context, string file)
    {
        if (file == "-")
            return context.Host.In();
        if (Directory.Exists(file))
            throw new CommandException(ExitCode.Invalid, $"{file}: a directory; name the table's source in it, as given to postmap");
        try
        {
            return new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CommandException(ExitCode.Invalid, $"{file}: there is no such file; name the table's source, as given to postmap");
        }
    }
}
