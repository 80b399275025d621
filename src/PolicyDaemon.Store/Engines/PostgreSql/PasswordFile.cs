using System.Globalization;
using System.Text;

namespace PolicyDaemon.Store.Engines.PostgreSql;

/// <summary>The file in which the passwords of servers stand.</summary>
/// <remarks>
/// <code>
/// host:port:database:user:password     a line for each; * for any; \: and \\ within      PostgreSQL, libpq, "The Password File"
/// </code>
/// It is read with every connection, so that a password can be changed while the programs run. Npgsql would read it, too, but says nothing of why it
/// found no password. Unlike libpq, which takes no file that a group may read: policyd and administrators share one.
/// </remarks>
internal static class PasswordFile
{
    private const UnixFileMode OfOthers = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <exception cref="PasswordFileException">There is none; the message says why, and what to do.</exception>
    internal static string Find(string? file, string host, int port, string database, string user)
    {
        if (file is null)
            throw new PasswordFileException("the server asks for a password: write it into a file, and name that with passfile=FILE");
        string[] lines;
        try
        {
            if ((File.GetUnixFileMode(file) & OfOthers) != 0)
                throw new PasswordFileException($"every user of this machine may read the passwords in {file}, so it is not used; chmod o= {file}");
            lines = File.ReadAllLines(file);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new PasswordFileException($"the server asks for a password, and passfile={file} does not exist; make it, with a line host:port:database:user:password");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new PasswordFileException($"the server asks for a password, and passfile={file} cannot be read: {error.Message}");
        }

        // As libpq has it: a socket is localhost, whatever its directory.
        string[] wanted = [host.StartsWith('/') ? "localhost" : host, port.ToString(CultureInfo.InvariantCulture), database, user];
        foreach (var line in lines.Where(line => line.Length > 0 && line[0] != '#'))
        {
            var fields = Split(line);
            if (fields.Count == 5 && wanted.Zip(fields).All(pair => pair.Second == "*" || pair.Second == pair.First || (pair.First == "localhost" && pair.Second == host)))
                return fields[4];
        }

        throw new PasswordFileException($"the server asks for a password, and no line of passfile={file} begins with {string.Join(':', wanted)}, or with * in their places");
    }

    private static List<string> Split(string line)
    {
        var fields = new List<string>();
        var field = new StringBuilder();
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] == '\\' && i + 1 < line.Length)
                field.Append(line[++i]);
            else if (line[i] == ':' && fields.Count < 4)
                fields.Add(Take());
            else
                field.Append(line[i]);
        }

        fields.Add(Take());
        return fields;

        string Take()
        {
            var taken = field.ToString();
            field.Clear();
            return taken;
        }
    }
}

/// <summary>No password was found for a server that asks for one; the message says why, and what to do.</summary>
// Raised in one place only, with a message.
#pragma warning disable CA1032
internal sealed class PasswordFileException(string message) : Exception(message);
#pragma warning restore CA1032
