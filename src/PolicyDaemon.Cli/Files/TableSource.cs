using PolicyDaemon.Cli.Hosting;

namespace PolicyDaemon.Cli.Files;

/// <summary>The file that <c>import</c> and <c>apply</c> read.</summary>
internal static class TableSource
{
    /// <summary>Opens it; <c>-</c> is standard input.</summary>
    /// <param name="what">What is to be named.</param>
    /// <exception cref="CommandException">There is none.</exception>
    internal static Stream Open(CommandContext context, string file, string what = "the table's source, as given to postmap")
    {
        if (file == "-")
            return context.Host.In();
        if (Directory.Exists(file))
            throw new CommandException(ExitCode.Invalid, $"{file}: a directory; name a file in it: {what}");
        try
        {
            return new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CommandException(ExitCode.Invalid, $"{file}: there is no such file; name {what}");
        }
    }
}
