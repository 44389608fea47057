// An outside referee: reads a log's directory with the library behind Go's checksum database and says whether the
// checkpoint, its tiles and one receipt's proof hold.
//
//	referee DIRECTORY VERIFIER-KEY BUNDLE.json
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type bundle struct {
	Receipt string `json:"receipt"`
	Log     struct {
		Origin         string   `json:"origin"`
		Index          int64    `json:"index"`
		InclusionProof []string `json:"inclusionProof"`
		Checkpoint     string   `json:"checkpoint"`
	} `json:"log"`
}

// tileDirectory reads tiles of height 8; its paths have no height in them, as tlog-tiles says.
type tileDirectory string

func (d tileDirectory) Height() int { return 8 }

func (d tileDirectory) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := os.ReadFile(filepath.Join(string(d), strings.Replace(tile.Path(), "tile/8/", "tile/", 1)))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (d tileDirectory) SaveTiles([]tlog.Tile, [][]byte) {}

func main() {
	if err := check(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
	fmt.Println("good")
}

func check(directory, key, bundlePath string) error {
	text, err := os.ReadFile(bundlePath)
	if err != nil {
		return err
	}
	var given bundle
	if err := json.Unmarshal(text, &given); err != nil {
		return err
	}
	tree, err := openCheckpoint(given.Log.Checkpoint, key, given.Log.Origin)
	if err != nil {
		return err
	}
	leaf := tlog.RecordHash([]byte(given.Receipt))
	var proof tlog.RecordProof
	for _, encoded := range given.Log.InclusionProof {
		hash, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || len(hash) != tlog.HashSize {
			return fmt.Errorf("a hash of the proof is malformed")
		}
		proof = append(proof, tlog.Hash(hash))
	}
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, given.Log.Index, leaf); err != nil {
		return fmt.Errorf("our proof: %w", err)
	}
	// Its own proof, from the tiles; the reader checks every tile against the root of the checkpoint.
	reader := tlog.TileHashReader(tree, tileDirectory(directory))
	own, err := tlog.ProveRecord(tree.N, given.Log.Index, reader)
	if err != nil {
		return fmt.Errorf("the tiles: %w", err)
	}
	if len(own) != len(proof) {
		return fmt.Errorf("its proof has another length")
	}
	for i := range own {
		if own[i] != proof[i] {
			return fmt.Errorf("hash %d of its proof is another", i)
		}
	}
	if tree.N > 1 {
		half := tree.N / 2
		root, err := tlog.TreeHash(half, reader)
		if err != nil {
			return err
		}
		consistency, err := tlog.ProveTree(tree.N, half, reader)
		if err != nil {
			return err
		}
		return tlog.CheckTree(consistency, tree.N, tree.Hash, half, root)
	}
	return nil
}

func openCheckpoint(text, key, origin string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != origin {
		return tlog.Tree{}, fmt.Errorf("the checkpoint is of another log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("the root is malformed")
	}
	return tlog.Tree{N: size, Hash: tlog.Hash(root)}, nil
}
